"""A WSGI call: hand the environ to the lifecycle and its response to the server (PEP 3333)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

from ..bridge import InWorker, call_here, drive, original
from ..ctx import State
from ..globals import _app_ctx_stack, _request_ctx_stack
from ..lifecycle import serve, untouched
from ..serving import REFUSAL, RETRY_AFTER, start_for_wsgi
from ..wrappers import heartbeat_of, is_event_stream, overrides_call, response_start, take_close_functions
from .body import AsyncBody, StreamedBody, close_body
from .events import BeatingBody, QuietBody, report_occupation
from .foreign import hide_foreign_contexts
from .input import RECEIVE_BODY, receive_input

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ..app import Flask
    from ..bridge import Call
    from ..ctx import RequestContext
    from ..wrappers import Response
    from ..wrappers.start import Start


logger = logging.getLogger("flaskctx.wsgi")

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
    if app._serving is not None and not start_for_wsgi(app, call, app._serving):
        return _refuse(start_response)
    if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
        environ.setdefault(RECEIVE_BODY, receive_input)
    context = app.request_context(environ)
    if type(call) is InWorker:
        call.serve(context)
    responder = Responder(call, environ, start_response)
    try:
        body: Any = drive(serve(call, context, responder, untouched.steps(app)))
    except BaseException:
        responder.close_unsent()
        raise
    if type(body) is not list or context._state is _STREAMING or context._after_response:
        return _outlasting(call, context, body)
    return body


def serve_mounted(
    app: Flask, mount: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Serve a request to what is mounted in an application: outside of its lifecycle, but not before its start."""
    if app._serving is not None and not start_for_wsgi(app, call_here(_ADVICE), app._serving):
        return _refuse(start_response)
    return mount(environ, start_response)


def _refuse(start_response: StartResponse) -> list[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(REFUSAL)))]
    start_response("503 SERVICE UNAVAILABLE", [*headers, ("Retry-After", RETRY_AFTER)])
    return [REFUSAL]


def _outlasting(call: Call, context: RequestContext, body: Iterable[bytes]) -> Iterable[bytes]:
    """Return the body as it goes on after the lifecycle: alone, or with a request context that was kept for it."""
    if not isinstance(body, StreamedBody):
        if context._state is not _STREAMING and not context._after_response:
            return body
        body = StreamedBody(call, body, [])
    body.outlive(context)
    return body


class Responder:
    """Turns a response into the start of the WSGI answer and its body."""

    __slots__ = ("_body", "_call", "_environ", "_failure", "_start_response", "_started")

    def __init__(self, call: Call, environ: WSGIEnvironment, start_response: StartResponse) -> None:
        self._call = call
        self._environ = environ
        self._start_response = start_response
        self._body: Any = None
        self._started = False

    def respond(
        self, response: Response | Start, may_block: bool = True, *, failure: BaseException | None = None
    ) -> Any:
        """Start the answer; called again while an exception is handled, it replaces the answer that was started.

        :param failure: what the response of last resort stands for. Servers, middleware and test clients that want
            to know are told of it.
        """
        self._failure = failure
        self.close_unsent()
        if isinstance(response, tuple):
            status, _, headers, self._body = response
            self._start(status, headers)
        elif overrides_call(response):
            self._body = self._streamed(response, response(self._environ, self._start))
        else:
            status, code, headers, body = response_start(response, self._environ)
            if body is None:
                self._body = AsyncBody(self._call, response, self._environ, code)
            else:
                self._body = body if type(body) is list else self._streamed(response, body)
            if is_event_stream(response):
                report_occupation(self._environ)
            self._start(status, headers)
        return self._body

    def _streamed(self, response: Response, body: Any) -> Any:
        if type(body) is tuple or (type(body) is list and not response._on_close):
            return body
        if response.direct_passthrough and not (response._on_close or isinstance(body, Generator)):
            # a file: servers send their own kind of it by other means than iteration
            return body
        if is_event_stream(response):
            seconds = heartbeat_of(response)
            environ = self._environ
            body = QuietBody(body, environ) if seconds is None else BeatingBody(body, environ, seconds)
        return StreamedBody(self._call, body, take_close_functions(response))

    def close_unsent(self) -> None:
        """Close the body of an answer that will not be sent: another one takes its place, or an exception."""
        body, self._body = self._body, None
        try:
            close_body(body)
        except Exception:
            logger.exception("The body of a response that is not sent could not be closed.")

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        error, is_second = self._failure, self._started
        if is_second and error is None and exc_info is None:
            error = sys.exc_info()[1]
        self._started = True
        if error is not None:
            # PEP 3333: an error handler names the exception, and a second call has to. A server that has sent
            # nothing yet takes the new headers; werkzeug's test client raises the exception.
            error = original(error)
            if is_second and "gunicorn.socket" in self._environ:
                # it would send the headers of both calls, two lengths among them (seen in 27.0): its own 500 is better
                raise error
            exc_info = (type(error), error, error.__traceback__)
        if exc_info is None:
            return self._start_response(status, headers)
        return self._start_response(status, headers, exc_info)
