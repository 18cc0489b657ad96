"""Request: what the client sent, on werkzeug's request, with the routing's result and the app's limits."""

from __future__ import annotations

import time
from functools import cached_property
from io import BytesIO
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import EnvironHeaders
from werkzeug.exceptions import BadRequest, HTTPException, ServiceUnavailable
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wsgi import LimitedStream

from .. import json
from ..debughelpers import attach_enctype_error_multidict
from ..globals import _request_ctx_stack, current_app
from .client import has_hung_up
from .input import CountedStream, InputStream, KeptFile, ParsedInput, UnreadInput
from .multipart import Multipart
from .quick import defines_any

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.datastructures import MultiDict
    from werkzeug.routing import Rule

_take_environ = itemgetter(
    "REQUEST_METHOD",
    "PATH_INFO",
    "QUERY_STRING",
    "wsgi.url_scheme",
    "SCRIPT_NAME",
    "REMOTE_ADDR",
    "SERVER_NAME",
    "SERVER_PORT",
)

# All that werkzeug's constructor sets. If a later release sets something else, its constructor is used.
_KNOWN_STATE = {
    "environ", "headers", "method", "path", "query_string", "remote_addr", "root_path", "scheme", "server",
    "shallow",
}  # fmt: skip
_WERKZEUG_IS_KNOWN = vars(WerkzeugRequest({})).keys() == _KNOWN_STATE


_LONGEST_NUMBER = 19
"""Digits of a length that nobody can mean: more than the bytes of all the world's disks."""


class _Late:
    """An attribute that is made when it is read first, from what the environ said at construction.

    :param make: makes the value, given the environ and what was taken from it.
    """

    def __init__(self, make: Callable[[dict[str, Any], tuple[Any, ...]], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, request: Any, owner: type) -> Any:
        if request is None:
            return self
        value = self._make(request._built_from, request._taken)
        setattr(request, self._name, value)
        return value


class _Limit:
    """A limit of the body, beyond which reading it raises 413.

    Three levels: what was set on the request, else the current application's config, else, without an
    application, werkzeug's. None is no limit; set on the request it goes back to the config.
    """

    def __init__(self, config_key: str) -> None:
        self._config_key = config_key

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, request: Any, owner: type) -> Any:
        if request is None:
            return self
        limit = vars(request).get(self._name)
        if limit is None:
            limit = current_app.config[self._config_key] if current_app else getattr(WerkzeugRequest, self._name)
        return limit

    def __set__(self, request: Any, limit: int | None) -> None:
        vars(request)[self._name] = limit


class TimeLimitExceeded(ServiceUnavailable):
    """A view has taken more time than its `timeout` or `REQUEST_TIMEOUT`: a 503, through the error handlers."""

    description = "The server took too long to answer. Please try again later."


class Request(WerkzeugRequest):
    """One request. `flaskctx.request` stands for the current one.

    To have a class of your own used, set `Flask.request_class` to a subclass.

    :param environ: the WSGI environ (PEP 3333); under ASGI the adapter makes one from the scope.
    :param populate_request: set `environ["werkzeug.request"]` to this object.
    :param shallow: make whatever reads the body raise, for middleware that must not consume it.
    """

    environ: dict[str, Any]
    method: str
    scheme: str
    path: str
    root_path: str
    query_string: bytes
    remote_addr: str | None
    shallow: bool

    json_module: Any = json

    #: The rule that matched, with its methods and endpoint. None when none did, and before the matching.
    url_rule: Rule | None = None

    #: The values of the rule's variables, as the view gets them. None when no rule matched.
    view_args: dict[str, Any] | None = None

    #: Why the matching failed (usually a `NotFound`); it is raised instead of calling a view.
    routing_exception: HTTPException | None = None

    # The class of which it was found that nothing in it stops the quick constructor. It is compared with the
    # object's class, so a subclass that nobody looked at (its parent's value is found) is built the long way.
    _quick_class: type[Request] | None = None

    # where the lazy attributes find what they are made from
    _built_from: dict[str, Any]
    _taken: tuple[Any, ...]

    if TYPE_CHECKING:
        max_form_parts: int | None  # type: ignore[assignment]
    else:
        headers = _Late(lambda environ, taken: EnvironHeaders(environ))
        scheme = _Late(lambda environ, taken: taken[3])
        root_path = _Late(lambda environ, taken: _decoded(taken[4] or "").rstrip("/"))
        remote_addr = _Late(lambda environ, taken: taken[5])
        server = _Late(lambda environ, taken: _server(*taken[6:]))

        #: The most bytes that are read from the body.
        max_content_length = _Limit("MAX_CONTENT_LENGTH")

        #: The most bytes that one field of a multipart form, not a file, may have.
        max_form_memory_size = _Limit("MAX_FORM_MEMORY_SIZE")

        #: The most parts, fields and files together, that a multipart form may have.
        max_form_parts = _Limit("MAX_FORM_PARTS")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._quick_class = None if _hinders_quick_constructor(cls) else cls

    def __init__(self, environ: dict[str, Any], populate_request: bool = True, shallow: bool = False) -> None:
        # Gives what werkzeug's constructor sets, the same values, in a third of its time: attributes that most
        # requests never read are made at first use. What they are made from is taken from the environ now, as
        # it may change later (a mounted application shifts SCRIPT_NAME and PATH_INFO).
        if self._quick_class is not type(self):
            super().__init__(environ, populate_request, shallow)
            return
        try:
            self._taken = taken = _take_environ(environ)
        except KeyError:  # PEP 3333 lets some of them be absent
            super().__init__(environ, populate_request, shallow)
            return
        self.method = taken[0].upper()
        path = taken[1]
        self.path = "/" + (path if path.isascii() else _decoded(path)).lstrip("/") if path else "/"
        self.query_string = taken[2].encode("latin1")
        self._built_from = self.environ = environ
        self.shallow = shallow
        if populate_request and not shallow:
            environ["werkzeug.request"] = self

    # --- the client ----------------------------------------------------------------------------------------

    @property
    def disconnected(self) -> bool:
        """Whether the client has left, as far as is known. Ask now and then, in a `def` or `async def` function:

            while not request.disconnected: ...

        Under ASGI the first question starts the watching of the connection, which isn't possible while the body is
        unread. (Unless its route says `cancel_on_disconnect=False`, an `async def` view is cancelled by itself.) Under
        WSGI the socket is looked at, where the server shows it: gunicorn does; else this stays False. A thread or task
        that the request is carried to may ask, too; when the request has ended, it is told what was known by then.
        """
        context = _request_ctx_stack.top
        if context is None or context.request is not self:
            return has_hung_up(self.environ)
        exchange = getattr(context._call, "exchange", None)
        if exchange is not None:
            return exchange.is_gone()  # type: ignore[no-any-return]
        return context._client_has_left or has_hung_up(self.environ)

    @property
    def last_event_id(self) -> str | None:
        """The id of the last event that the client of an `EventStream` has seen, when it connects again; else None.

        Source: WHATWG HTML, "Server-sent events", the header `Last-Event-ID`.
        """
        value = self.headers.get("Last-Event-ID")
        # browsers send it in UTF-8, and headers arrive as Latin-1
        return value.encode("latin-1", "replace").decode("utf-8", "replace") if value else None

    # --- time ----------------------------------------------------------------------------------------------

    #: The seconds that the view may take, where its route says so (`timeout=`). None: as `REQUEST_TIMEOUT` says; for a
    #: websocket, whose view may take as long as both sides want, no limit.
    timeout: float | None = None

    #: When the view has to be done, on the clock of `time.monotonic()`. None: it has all the time it wants.
    deadline: float | None = None

    def set_deadline(self, seconds: float) -> None:
        """Give the request some seconds from now on; the lifecycle does, before it calls the view."""
        self.deadline = time.monotonic() + seconds

    @property
    def time_left(self) -> float | None:
        """The seconds until the deadline, negative when it has passed; None where there is none."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def check_deadline(self) -> None:
        """For `def` views that take long, as no thread can be stopped: raise a 503 when the time is up.

        An `async def` view is cancelled at its deadline and has no need of this.

        :raises TimeLimitExceeded: (503) the deadline has passed.
        """
        left = self.time_left
        if left is not None and left <= 0:
            raise self.time_is_up()

    def time_is_up(self) -> TimeLimitExceeded:
        """Return what is raised when the time is up."""
        return TimeLimitExceeded()

    # --- what the routing found --------------------------------------------------------------------------

    @property
    def endpoint(self) -> str | None:
        """The endpoint of the rule that matched, None when none did."""
        rule = self.url_rule
        return None if rule is None else rule.endpoint

    @property
    def blueprint(self) -> str | None:
        """The dotted name under which the endpoint's blueprint is registered; None for the app's own."""
        endpoint = self.endpoint
        if endpoint is None or "." not in endpoint:
            return None
        return endpoint.rpartition(".")[0]

    @property
    def blueprints(self) -> list[str]:
        """The names of the endpoint's blueprint and of those it is nested in, the innermost first."""
        names = []
        name = self.blueprint
        while name:
            names.append(name)
            name = name.rpartition(".")[0]
        return names

    @cached_property
    def args(self) -> MultiDict[str, str]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The parameters of the query string. Raw bytes in it that are not UTF-8 become U+FFFD."""
        try:
            return super().args
        except UnicodeDecodeError:
            text = self.query_string.decode(errors="replace")
            return self.parameter_storage_class(parse_qsl(text, keep_blank_values=True))

    # --- the body ----------------------------------------------------------------------------------------

    @cached_property
    def content_length(self) -> int | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The length of the body in bytes, as the client has declared it; None where it hasn't.

        :raises BadRequest: (400) that is no number, or not the same one each time (RFC 9112, section 6.3).
        """
        declared: str = self.environ.get("CONTENT_LENGTH") or ""
        if declared and not (declared.isdecimal() and len(declared) < _LONGEST_NUMBER):
            values = {value.strip() for value in declared.split(",")}
            value = values.pop()
            if values or not value.isdecimal() or len(value) >= _LONGEST_NUMBER:
                raise BadRequest("The header Content-Length of this request doesn't say how long its body is.")
            self.environ["CONTENT_LENGTH"] = value
        return super().content_length

    @cached_property
    def stream(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The body as it arrives: a binary file to read in a `def` view, chunks for `async for` in an `async def` one.

        To have it unread in the view, register the route with `stream=True`. It ends with an error where the body is
        larger than `max_content_length` (413) or the client leaves before its end (400).
        """
        length = self.content_length  # before werkzeug looks, to which a wrong one is 0
        stream: Any = super().stream
        body = self.environ["wsgi.input"]
        if hasattr(body, "__aiter__"):
            body.limit = self.max_content_length
            return body
        if "wsgi.input_terminated" in self.environ:
            limit = self.max_content_length
            if length is not None:
                # servers that promise to end the input where the body ends do so too where a client has left
                stream = LimitedStream(stream, length)
            elif limit is not None:
                stream = CountedStream(body, limit, is_max=True)
        return UnreadInput(stream) if "flaskctx.receive_body" in self.environ else InputStream(stream)

    def multipart(self) -> Multipart:
        """Return the parts of a multipart form, to be read one after the other as they arrive:

            for part in request.multipart():  # in an async def view: async for
                if part.filename is None:
                    fields[part.name] = part.value
                else:
                    for chunk in part:  # async for
                        file.write(chunk)

        The client is asked for no more than is used, and nothing is stored. The route needs `stream=True`. The limits
        are those of `request.form`: `max_content_length`, `max_form_parts` and, for fields, `max_form_memory_size`.

        :raises UnsupportedMediaType: (415) the body is something else.
        :raises BadRequest: (400) here or while it's read: it is not a whole multipart form.
        :raises RuntimeError: the route has no `stream=True`, or the form was read before.
        """
        if self._multipart is not None or "form" in vars(self):
            raise RuntimeError("The form of this request was read already: request.multipart() can be called once.")
        self._multipart = form = Multipart(self)
        return form

    _multipart: Multipart | None = None

    async def load_body(self) -> None:
        """Wait until the whole body is there, as it is in the view anyway, unless the route has `stream=True`.

        For `async def` functions: a before hook that reads the body, or a view with `stream=True` that wants it whole.
        In a `def` one reading waits by itself. A multipart form of more than 512 KiB is parsed as it arrives, its files
        in temporary files: see `form` and `files`; its raw bytes are kept nowhere.

        :raises RequestEntityTooLarge: (413) the body is larger than `max_content_length`.
        :raises ClientDisconnected: (400) the client left before its end.
        """
        receive = self.environ.get("flaskctx.receive_body")
        if receive is not None:
            await current_app.ensure_async(receive)(self)

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Return a file for an uploaded one. Override it to store uploads elsewhere; the arguments are werkzeug's."""
        # werkzeug's parser forgets its files where a limit is exceeded or the client leaves
        return KeptFile()

    def _load_form_data(self) -> None:
        if "form" in vars(self):
            # parsed before; if it was on arrival, this is the first who asks for what is left of the body
            if isinstance(self.environ["wsgi.input"], ParsedInput):
                vars(self)["stream"] = BytesIO()
            return
        if self._multipart is not None:
            raise RuntimeError("The parts of this form are read by request.multipart(): there is no request.form.")
        super()._load_form_data()
        if self.mimetype != "multipart/form-data" and current_app and current_app.debug and not self.files:
            attach_enctype_error_multidict(self)

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Answer a body that isn't JSON: 400, or 415 when the content type doesn't announce JSON.

        The parser's own message is shown in debug mode only; otherwise it is the exception's cause.

        :param e: what the parser raised, None when it wasn't tried because of the content type.
        """
        try:
            return super().on_json_loading_failed(e)
        except BadRequest as error:
            if current_app and current_app.debug:
                raise
            raise BadRequest() from error


def _decoded(text: str) -> str:
    """Undo PEP 3333's latin-1 disguise of UTF-8 bytes."""
    return text.encode("latin1").decode("utf-8", "replace")


def _server(name: str | None, port: str | None) -> tuple[str, int | None] | None:
    """Return what werkzeug knows as `request.server`."""
    if name is None:
        return None
    try:
        return name, int(port or "")
    except (TypeError, ValueError):
        return name, None  # a unix socket


def _hinders_quick_constructor(cls: type[Request]) -> bool:
    return not _WERKZEUG_IS_KNOWN or defines_any(cls, Request, _KNOWN_STATE | {"__setattr__", "_built_from", "_taken"})


Request._quick_class = None if _hinders_quick_constructor(Request) else Request
