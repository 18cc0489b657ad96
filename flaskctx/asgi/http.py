"""One HTTP request through ASGI: environ and body in, the lifecycle, the response out."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from ..bridge import HouseIsFull, OnLoop
from ..ctx import State
from ..globals import _app_ctx_stack, _request_ctx_stack
from ..lifecycle import end_stream, is_plain, overridden, serve
from ..wsgi.foreign import hide_foreign_contexts
from .answer import Answer, answer_of
from .body import RequestBody, expects_body
from .environ import build_environ
from .sending import OWN_VARIABLES, send_answer
from .wsgi_override import serve_override, wsgi_override

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ..app import Flask
    from ..ctx import RequestContext
    from .types import Receive, Scope, Send


_STREAMING = State.STREAMING
_peek_app, _peek_request = _app_ctx_stack.peek, _request_ctx_stack.peek


def serve_http(app: Flask, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
    """Serve one request. Ends when its response is sent, its teardown has run and its thread is free."""
    if _peek_app(None) is None and _peek_request(None) is None:
        return _serve(app, scope, receive, send)
    return _serve_among_foreign_contexts(app, scope, receive, send)


async def _serve_among_foreign_contexts(app: Flask, scope: Scope, receive: Receive, send: Send) -> None:
    with hide_foreign_contexts(app, scope):
        await _serve(app, scope, receive, send)


async def _serve(app: Flask, scope: Scope, receive: Receive, send: Send) -> None:
    environ = build_environ(scope)
    body: RequestBody | None = None
    if expects_body(scope, environ):
        body = environ["wsgi.input"] = RequestBody(receive)
        environ["flaskctx.receive_body"] = body.receive_all
    else:
        environ["wsgi.input"] = io.BytesIO()
    call = OnLoop(app._new_seat, app.config)
    try:
        if wsgi_override(app):
            await serve_override(app, call, environ, send, receive, body)
        else:
            await _serve_native(app, call, environ, send, receive, body)
        # a cancellation may have arrived while the thread closed the body
        call.check()
    except HouseIsFull:
        await _send_house_is_full(send, app.config["WORKER_WAIT"])
    finally:
        call.release()
        if body is not None:
            body.close()
        if len(call.context) > OWN_VARIABLES:
            call.copy_out()


async def _serve_native(
    app: Flask, call: OnLoop, environ: dict[str, Any], send: Send, receive: Receive, body: RequestBody | None
) -> None:
    plain = is_plain(app)
    if not plain and (overridden(app, "request_context") or overridden(app, "create_url_adapter")):
        context: RequestContext = await call.run(call(app.request_context, environ))
    else:
        context = app.request_context(environ)
    answer: Answer | None = None
    error: BaseException | None = None

    def respond(response: Any) -> Answer:
        nonlocal answer
        replaced, answer = answer, answer_of(response, environ)
        if replaced is not None:
            answer.replaces(replaced)
        return answer

    try:
        await call.run(serve(call, context, respond, plain))
        call.check()
        assert answer is not None
        await send_answer(call, answer, send, receive if body is None or body.complete else None)
    except BaseException as raised:
        error = raised
        raise
    finally:
        if answer is not None and (answer.has_to_be_closed or context._state is _STREAMING):
            await call.run(_close(call, answer, context, error))


async def _close(call: OnLoop, answer: Answer, context: RequestContext, error: BaseException | None) -> None:
    """Close the body where it runs, and end a context that was kept for it; failures are logged."""
    try:
        await answer.close(call)
    except Exception as failure:
        context.app.log_exception((type(failure), failure, failure.__traceback__))
    finally:
        try:
            await end_stream(call, context, error)
        except Exception as failure:
            context.app.log_exception((type(failure), failure, failure.__traceback__))


async def _send_house_is_full(send: Send, wait: float) -> None:
    text = b"All worker threads are busy. Please try again."
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(text)).encode()),
        (b"retry-after", str(max(1, math.ceil(wait))).encode()),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": text})
