"""A WSGI call: hand the environ to the lifecycle and its response to the server (PEP 3333)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..bridge import call_here, drive
from ..ctx import State
from ..globals import _app_ctx_stack, _request_ctx_stack
from ..lifecycle import is_plain, serve
from ..wrappers import overrides_call, response_start
from .body import AsyncBody, StreamedBody, close_body
from .foreign import hide_foreign_contexts
from .input import RECEIVE_BODY, receive_input

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from ..app import Flask
    from ..bridge import Call
    from ..wrappers import Response


_ADVICE = "serve the application through app.asgi"
_STREAMING = State.STREAMING
_peek_app, _peek_request = _app_ctx_stack.peek, _request_ctx_stack.peek


def serve_wsgi(app: Flask, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Serve one request; return the body for the server to iterate and close."""
    if _peek_app(None) is not None or _peek_request(None) is not None:
        with hide_foreign_contexts(app, environ):
            return _serve(app, environ, start_response)
    return _serve(app, environ, start_response)


def _serve(app: Flask, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    call = call_here(_ADVICE)
    if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
        environ.setdefault(RECEIVE_BODY, receive_input)
    context = app.request_context(environ)
    responder = Responder(call, environ, start_response)
    body: Iterable[bytes] = drive(serve(call, context, responder.respond, is_plain(app)))
    if context._state is _STREAMING:
        # closing the body ends the contexts that were kept for it
        return StreamedBody(call, context, body)
    return body


class Responder:
    """Turns a response into the start of the WSGI answer and its body."""

    __slots__ = ("_body", "_call", "_environ", "_start_response")

    def __init__(self, call: Call, environ: WSGIEnvironment, start_response: StartResponse) -> None:
        self._call = call
        self._environ = environ
        self._start_response = start_response
        self._body: Any = None

    def respond(self, response: Response) -> Any:
        """Start the answer; a second response, made because a teardown has failed, takes the first one's place."""
        start_response = self._start_response
        if self._body is not None:
            close_body(self._call, self._body)
            start_response = self._replace
        if overrides_call(response):
            body: Any = response(self._environ, start_response)
        else:
            status, code, headers, body = response_start(response, self._environ)
            start_response(status, headers)
            if body is None:
                body = AsyncBody(self._call, response, self._environ, code)
        self._body = body
        return body

    def _replace(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        # PEP 3333: calling start_response again is allowed only with exc_info, as long as nothing was sent
        try:
            raise RuntimeError("The response was replaced because a teardown function failed.")
        except RuntimeError as error:
            replaced: Any = (RuntimeError, error, error.__traceback__)
            return self._start_response(status, headers, replaced)
