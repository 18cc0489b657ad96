"""Response: what goes back to the client, on werkzeug's response; quick to make, also with async bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeGuard

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as WerkzeugResponse

from .. import json
from ..globals import current_app
from ..unchanged import unchanged_class
from .async_body import EncodedChunks, is_async_body
from .quick import (
    CONTENT_TYPES,
    HEADERS_ARE_KNOWN,
    STATUS_LINES,
    defines_any,
    new_headers,
    status_line,
    typed_items,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
    from http import HTTPStatus
    from types import EllipsisType

    from _typeshed.wsgi import WSGIApplication
    from werkzeug.wrappers import Request as WerkzeugRequest

# All that werkzeug's constructor sets. If a later release sets something else, its constructor is used.
_STATE = {"headers", "_status", "_status_code", "direct_passthrough", "_on_close", "response"}
_WERKZEUG_IS_KNOWN = HEADERS_ARE_KNOWN and vars(WerkzeugResponse()).keys() == _STATE

# What an exception that is called as a WSGI application goes through, as werkzeug has it.
_CALL_OF_EXCEPTIONS = HTTPException.__call__
_RESPONSES_OF_EXCEPTIONS = (HTTPException.get_response, RequestRedirect.get_response)


class Response(WerkzeugResponse):
    """What a view's return value is made into. Its body may be async.

    To have a class of your own used, set `Flask.response_class` to a subclass.

    :param response: the body: str or bytes, or an iterable or async iterable of them, which is streamed.
    :param status: a number, or a whole status line; 200 if None.
    :param headers: `Headers`, a dictionary, or pairs.
    :param mimetype: the type without parameters; a charset is added where it belongs. Default: text/html.
    :param content_type: the complete type; takes the place of `mimetype`.
    :param direct_passthrough: hand the body to the server as it is, for files.
    """

    default_mimetype: str | None = "text/html"
    json_module: Any = json
    autocorrect_location_header = False

    timeout: float | EllipsisType | None = ...
    """Under ASGI: the seconds that sending it may take, None for no limit. As it is, `RESPONSE_TIMEOUT` counts."""

    # as in Request: set for a class of which it was found that nothing in it stops the quick constructor
    _quick_class: type[Response] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._quick_class = None if _hinders_quick_constructor(cls) else cls

    def __init__(
        self,
        response: str | bytes | bytearray | Iterable[str | bytes] | AsyncIterable[str | bytes] | None = None,
        status: int | str | HTTPStatus | None = None,
        headers: Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]] | None = None,
        mimetype: str | None = None,
        content_type: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        # Sets what werkzeug's constructor sets, to the same values; the unusual is left to werkzeug.
        cls = type(self)
        items = None
        if self._quick_class is cls and _constructs_as_known(cls):
            if headers is None and content_type is None:
                pair = CONTENT_TYPES.get(self.default_mimetype if mimetype is None else mimetype)
                items = None if pair is None else [pair]
            else:
                items = typed_items(headers, mimetype, content_type, self.default_mimetype)
        if items is None:
            body: Any = response  # werkzeug's annotation doesn't know async iterables
            super().__init__(body, status, headers, mimetype, content_type, direct_passthrough)
            return
        self.headers = made = new_headers(Headers)
        made._list = items
        if status is None:
            status = self.default_status
        if type(status) is int:
            self._status = STATUS_LINES.get((status, HTTP_STATUS_CODES.get(status))) or status_line(status)
            self._status_code = status
        else:
            self._status, self._status_code = self._clean_status(status)
        self.direct_passthrough = direct_passthrough
        self._on_close = []
        if isinstance(response, str):
            response = response.encode()
        if isinstance(response, (bytes, bytearray)):
            data: Any = [response]
            self.response = data
            if self.automatically_set_content_length:
                items.append(("Content-Length", str(len(response))))
        else:
            self.response = [] if response is None else response  # type: ignore[assignment]

    @classmethod
    def force_type(cls, response: WerkzeugResponse | WSGIApplication, environ: dict[str, Any] | None = None) -> Self:
        """Make a response of this class from any response or WSGI callable.

        A response stays the same object and gets this class. A callable is called with `environ`; an
        exception that `makes_its_response` is just asked for it, which is quicker and leaves the body a list.

        :raises TypeError: a callable without an `environ`.
        """
        if environ is not None and makes_its_response(response):
            response = response.get_response(environ)
        return super().force_type(response, environ)  # type: ignore[arg-type, return-value]

    @property
    def max_cookie_size(self) -> int:  # type: ignore[override]
        """The config's `MAX_COOKIE_SIZE`: a cookie with a longer header is sent with a warning. 0: never."""
        if current_app:
            return current_app.config["MAX_COOKIE_SIZE"]  # type: ignore[no-any-return]
        return super().max_cookie_size

    # --- async bodies ------------------------------------------------------------------------------------

    @property
    def has_async_body(self) -> bool:
        """Whether the body can only be iterated with `async for`; the server does that, under any protocol.

        Such a body stays as it is in `response`; `is_streamed` is true. What needs the bytes in a plain `def`
        call (`data`, `get_data`, `set_data`, `iter_encoded`, `make_sequence`, ...) raises a TypeError.
        """
        return is_async_body(self.response)

    def aiter_encoded(self) -> EncodedChunks:
        """Iterate an async body as bytes: `async for chunk in response.aiter_encoded()`.

        The body is closed when it is exhausted, fails, or the iterator's `aclose()` is awaited, once in all.
        Functions of `call_on_close` are not called: `close()` does that.

        :raises TypeError: the body isn't async.
        """
        body: Any = self.response
        if not hasattr(body, "__aiter__"):
            raise TypeError(
                f"aiter_encoded() needs an async iterable as body, and this response's is"
                f" {type(body).__name__!r}. Use iter_encoded() for it."
            )
        return body if isinstance(body, EncodedChunks) else EncodedChunks(body)

    def iter_encoded(self) -> Iterator[bytes]:
        """Iterate the body as bytes.

        :raises TypeError: the body is async.
        """
        if is_async_body(self.response):
            self._refuse_async_body("iter_encoded()")
        return super().iter_encoded()

    def set_data(self, value: bytes | str) -> None:
        """Replace the body, and with it the content length.

        :raises TypeError: the body is async; it would never be closed.
        """
        if is_async_body(getattr(self, "response", None)):
            self._refuse_async_body("set_data()")
        super().set_data(value)

    # werkzeug's property would call werkzeug's set_data
    data = property(
        WerkzeugResponse.get_data,
        set_data,
        doc="The body as bytes: get_data() and set_data() as an attribute.",
    )

    def get_app_iter(self, environ: dict[str, Any]) -> Iterable[bytes]:
        """Return the body for a WSGI server, empty where HTTP allows none (HEAD, 1xx, 204, 304).

        :raises TypeError: the body is async and would have to be iterated.
        """
        app_iter = super().get_app_iter(environ)
        if app_iter is self.response and is_async_body(app_iter):  # direct_passthrough
            self._refuse_async_body("get_app_iter()")
        return app_iter

    def make_conditional(
        self,
        request_or_environ: dict[str, Any] | WerkzeugRequest,
        accept_ranges: bool | str = False,
        complete_length: int | None = None,
    ) -> Self:
        """Answer 304, 412 or a part of the body where the request's headers ask for that.

        Of an async body the length isn't known and ranges aren't cut out: a range request gets all of it,
        as RFC 9110, section 14.2, allows.
        """
        if is_async_body(self.response):
            length_is_set, self.automatically_set_content_length = (
                self.automatically_set_content_length,
                False,
            )
            try:
                return super().make_conditional(request_or_environ)  # type: ignore[return-value]
            finally:
                self.automatically_set_content_length = length_is_set
        return super().make_conditional(request_or_environ, accept_ranges, complete_length)  # type: ignore[return-value]

    def close(self) -> None:
        """Close the body and call the functions of `call_on_close`.

        An async body is closed by whoever iterates it, see `aiter_encoded`.
        """
        if is_async_body(self.response):
            for function in self._on_close:
                function()
        else:
            super().close()

    def _ensure_sequence(self, mutable: bool = False) -> None:
        # all of werkzeug's methods that need the whole body come through here
        if is_async_body(self.response):
            self._refuse_async_body("the whole body")
        super()._ensure_sequence(mutable)

    def _refuse_async_body(self, wanted: str) -> NoReturn:
        raise TypeError(
            f"{wanted} was asked of {self!r}, whose body is async ({type(self.response).__name__}) and can't"
            " be read in a plain call. In an `async def` function use `async for chunk in"
            " response.aiter_encoded()`; to send something else, return another response or assign a list to"
            " response.response."
        )


def makes_its_response(value: object) -> TypeGuard[HTTPException]:
    """Tell whether `value` is an HTTPException that makes a new response each time, in werkzeug's own way.

    Not one that was given a response (`abort(response)`): that may be shared between requests. And not one
    whose class overrides how it answers.
    """
    return (
        isinstance(value, HTTPException)
        and type(value).__call__ is _CALL_OF_EXCEPTIONS
        and type(value).get_response in _RESPONSES_OF_EXCEPTIONS
        and value.response is None
    )


def _hinders_quick_constructor(cls: type[Response]) -> bool:
    return not _WERKZEUG_IS_KNOWN or defines_any(cls, Response, _STATE | {"__setattr__"})


Response._quick_class = None if _hinders_quick_constructor(Response) else Response
# Whether a class has what that constructor calls; asked at each construction, so that a patched class is honoured.
_constructs_as_known = unchanged_class(Response, ("set_data", "status", "_clean_status"))
