"""The start of a response: status, headers and body as they go to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wrappers import Response as WerkzeugResponse

from ..unchanged import unchanged_class
from .async_body import is_async_body
from .quick import CONTENT_TYPES, HEADERS_ARE_KNOWN, status_line
from .response import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# Whether a class has what werkzeug's way from a response to (body, status, headers) calls. It is asked for each
# response: a subclass or a tool may have put its own function there.
_starts_as_known = unchanged_class(
    Response,
    (
        "get_wsgi_response", "get_wsgi_headers", "get_app_iter", "iter_encoded", "is_sequence", "close", "status",
        "status_code",
    ),
)  # fmt: skip
_CALL = Response.__call__

# The same of all that is called, and looked at, from a text to these.
_makes_text_as_known = unchanged_class(
    Response,
    (
        "__init__", "__call__", "default_mimetype", "default_status", "timeout",
        "automatically_set_content_length", "set_data", "status", "status_code", "_clean_status", "get_wsgi_response",
        "get_wsgi_headers", "get_app_iter", "iter_encoded", "is_sequence", "close",
    ),
)  # fmt: skip

# Those of them that can't have an async body.
_makes_bytes_as_known = unchanged_class(Response, ("get_wsgi_response", "get_app_iter", "iter_encoded"))

# names that need no closer look; any other is compared without regard to case
_UNTOUCHED = frozenset(
    {"Content-Type", "Content-Length", "Set-Cookie", "Vary", "Cache-Control", "Date", "ETag", "Last-Modified"}
)
_URLS = ("location", "content-location")

_WITHOUT_BODY = (204, 304)


_OK, _OK_PHRASE = status_line(200), HTTP_STATUS_CODES[200]

Start = tuple[str, int, list[tuple[str, str]], "Iterable[bytes] | None"]


def response_start(response: Response, environ: dict[str, Any]) -> Start:
    """Return what the server is given: `(status line, status code, headers, body)`.

    Equal to `response.get_wsgi_response(environ)`, only sooner where nothing is overridden on the way. Otherwise that
    method is called.

    The body is iterated and then, if it has a `close`, closed once, which closes the response; a plain list
    or tuple has nothing to close, as long as nobody uses `response.call_on_close` after this. It is None if
    the body is async: then iterate `response.aiter_encoded()` unless `has_no_body`, `aclose()` it in any
    case, and call `response.close()`.

    A class that overrides `__call__` must be called instead, see `overrides_call`.
    """
    if HEADERS_ARE_KNOWN and _starts_as_known(type(response)):
        body: Any = response.response
        code = response._status_code
        if type(body) is list:
            if not response._on_close:
                items = _final_items(response, body) if code >= 200 and code not in _WITHOUT_BODY else None
                if items is None:
                    items = response.get_wsgi_headers(environ).to_wsgi_list()
                    if not response.direct_passthrough:
                        body = list(response.iter_encoded())
                    if has_no_body(environ, code):
                        body = ()
                return response._status, code, items, () if environ["REQUEST_METHOD"] == "HEAD" else body
        elif not isinstance(body, list | tuple):
            return _streamed_start(response, environ)
    elif is_async_body(response.response) and _makes_bytes_as_known(type(response)):
        headers = response.get_wsgi_headers(environ).to_wsgi_list()
        return response.status, response.status_code, headers, None
    app_iter, status, headers = response.get_wsgi_response(environ)
    return status, response._clean_status(status)[1], headers, app_iter


def starts_from_text(cls: type[Response], mimetype: str) -> bool:
    """Tell whether `text_start` gives what a response of this class and type would give.

    It doesn't where `cls` isn't the class that this package made, or isn't as it was: the response has to be made then.
    """
    return cls is Response and HEADERS_ARE_KNOWN and _makes_text_as_known(cls) and mimetype in CONTENT_TYPES


def text_start(text: str, mimetype: str, environ: dict[str, Any]) -> Start:
    """Return what `response_start` returns for a response from a text, without that, as nobody else will see it."""
    body = text.encode()
    status = _OK if HTTP_STATUS_CODES.get(200) is _OK_PHRASE else status_line(200)
    headers = [CONTENT_TYPES[mimetype], ("Content-Length", str(len(body)))]
    return status, 200, headers, () if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _streamed_start(response: Response, environ: dict[str, Any]) -> Start:
    """Return the start of a response whose body is no sequence, and whose class overrides nothing."""
    body: Any = response.response
    has_body = not has_no_body(environ, response._status_code)
    items = _final_items(response, None) if has_body else None
    if items is None:
        items = response.get_wsgi_headers(environ).to_wsgi_list()
    app_iter: Iterable[bytes] | None
    if is_async_body(body):
        app_iter = None
    elif has_body and not response.direct_passthrough:
        app_iter = _ClosingBody(response)
    else:
        app_iter = response.get_app_iter(environ)
    return response._status, response._status_code, items, app_iter


class _ClosingBody:
    """A response's chunks, to be iterated directly; closing it closes the response."""

    __slots__ = ("_chunks", "_response")

    def __init__(self, response: Response) -> None:
        self._response = response
        self._chunks = response.iter_encoded()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    def close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
        self._response.close()


def _final_items(response: Response, body: list[Any] | None) -> list[tuple[str, str]] | None:
    """Return the final headers; None if a header's URL needs mending, or the body isn't a list of bytes.

    :param body: None for a stream, whose length isn't known.
    """
    headers = response.headers
    if type(headers) is not Headers:
        return None
    for chunk in body or ():
        if type(chunk) is not bytes:
            return None
    items = headers._list.copy()
    has_length = False
    for name, _ in items:
        if name == "Content-Length":
            has_length = True
        elif name not in _UNTOUCHED:
            name = name.lower()
            if name in _URLS:
                return None
            has_length = has_length or name == "content-length"
    if body is not None and not has_length and response.automatically_set_content_length:
        items.append(("Content-Length", str(sum(map(len, body)))))
    return items


def has_no_body(environ: dict[str, Any], status_code: int) -> bool:
    """Tell whether HTTP sends no body with this response: to HEAD, and with 1xx, 204 and 304 (RFC 9110)."""
    return environ["REQUEST_METHOD"] == "HEAD" or 100 <= status_code < 200 or status_code in (204, 304)


def take_close_functions(response: Response) -> list[Callable[[], object]]:
    """Take over the functions of `call_on_close`: to be called after the body is closed, and maybe elsewhere."""
    functions, response._on_close = response._on_close, []
    return functions


def may_block_at_start(response: WerkzeugResponse) -> bool:
    """Tell whether `response_start` or a call of the response comes upon functions of a subclass of the user's."""
    cls = type(response)
    own = cls is not Response and cls is not WerkzeugResponse
    return own and (overrides_call(response) or overrides_start(response))


def overrides_start(response: WerkzeugResponse) -> bool:
    """Tell whether `response_start` calls functions that aren't this package's: code of the user's."""
    return not (HEADERS_ARE_KNOWN and _starts_as_known(type(response)))


def overrides_call(response: WerkzeugResponse) -> bool:
    """Tell whether the class has its own `__call__`: then it is to be served as any WSGI callable."""
    return type(response).__call__ is not _CALL
