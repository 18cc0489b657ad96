"""One HTTP request through ASGI: environ and body in, the lifecycle, the response out."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from ..bridge import HouseIsFull, OnLoop
from ..ctx import State
from ..globals import _app_ctx_stack, _request_ctx_stack
from ..lifecycle import end_stream, is_plain, overridden, propagates, serve
from ..wsgi.foreign import hide_foreign_contexts
from .answer import Answer, answer_of
from .body import RequestBody, expects_body
from .environ import build_environ
from .sending import OWN_VARIABLES, send_answer
from .wsgi_override import answer_of_override, wsgi_override

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
    exchange = Exchange(environ)
    error: BaseException | None = None
    try:
        try:
            plain = is_plain(app)
            if wsgi_override(app):
                exchange.answer = await answer_of_override(app, call, environ)
            else:
                context = app.request_context(environ) if plain else await _request_context(app, call, environ)
                exchange.context = context
                await call.run(serve(call, context, exchange.respond, plain))
            call.check()
            await send_answer(call, exchange.answer, send, receive if body is None or body.complete else None)
        except BaseException as raised:
            error = raised
            raise
        finally:
            if exchange.has_to_be_closed():
                await call.run(exchange.close(call, error))
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


async def _request_context(app: Flask, call: OnLoop, environ: dict[str, Any]) -> RequestContext:
    """Make the request's context in an application that has its own way of doing so."""
    if overridden(app, "request_context") or overridden(app, "create_url_adapter"):
        context: RequestContext = await call.run(call(app.request_context, environ))
        return context
    return app.request_context(environ)


class Exchange:
    """One request's context and the answer to it, which have to be closed at the end."""

    __slots__ = ("_environ", "answer", "context")

    context: RequestContext | None
    answer: Any

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        self.context = None
        self.answer = None

    def respond(self, response: Any) -> Answer:
        """Settle the answer; a second one, made because a teardown has failed, takes the place of the first."""
        replaced, self.answer = self.answer, answer_of(response, self._environ)
        if replaced is not None:
            self.answer.replaces(replaced)
        answer: Answer = self.answer
        return answer

    def has_to_be_closed(self) -> bool:
        """Tell whether something is left to do when the response has been sent, or won't be."""
        answer, context = self.answer, self.context
        return answer is not None and (
            answer.has_to_be_closed or (context is not None and context._state is _STREAMING)
        )

    async def close(self, call: OnLoop, error: BaseException | None) -> None:
        """Close the body where it runs, and end a context that was kept for it; failures are logged."""
        context = self.context
        if context is None:
            # an overridden `wsgi_app`: its contexts, and what happens to errors, are its own business
            await self.answer.close(call)
            return
        log = context.app.log_exception
        try:
            await self.answer.close(call)
        except Exception as failure:
            log((type(failure), failure, failure.__traceback__))
        finally:
            try:
                await end_stream(call, context, error)
            except Exception as failure:
                if error is None and propagates(context.app):
                    raise
                log((type(failure), failure, failure.__traceback__))


async def _send_house_is_full(send: Send, wait: float) -> None:
    text = b"All worker threads are busy. Please try again."
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(text)).encode()),
        (b"retry-after", str(max(1, math.ceil(wait))).encode()),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": text})
