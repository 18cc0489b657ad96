"""One HTTP request through ASGI: environ and body in, the lifecycle, the response out."""

from __future__ import annotations

import math
from asyncio import _get_running_loop
from typing import TYPE_CHECKING, Any

import anyio

from ..bridge import HouseIsFull, OnLoop
from ..lifecycle import overridden, serve, untouched
from .answer import Answer
from .body import RequestBody, expects_body
from .environ import build_environ
from .exchange import Exchange
from .sending import OWN_VARIABLES, send_answer, within
from .wsgi_override import serve_override

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..app import Flask
    from ..ctx import RequestContext
    from .types import Receive, Scope, Send

    Run = Callable[[Flask, OnLoop, Exchange, dict[str, Any]], Awaitable[Any]]


def run_lifecycle(app: Flask, call: OnLoop, exchange: Exchange, environ: dict[str, Any]) -> Awaitable[Any]:
    """Run the lifecycle; the answer is then in the exchange."""
    if not untouched.steps(app):
        return _run_judged(app, call, exchange, environ)
    exchange.context = context = app.request_context(environ)
    return call.run(serve(call, context, exchange, True))


async def _run_judged(app: Flask, call: OnLoop, exchange: Exchange, environ: dict[str, Any]) -> None:
    exchange.context = context = await own_request_context(app, call, environ)
    await call.run(serve(call, context, exchange, False))


def run_override(app: Flask, call: OnLoop, exchange: Exchange, environ: dict[str, Any]) -> Awaitable[Any]:
    """Run the application's own `wsgi_app`, which may lead to its lifecycle."""
    return call.run(serve_override(app, call, exchange, environ))


def serve_http(app: Flask, scope: Scope, receive: Receive, send: Send, run: Run = run_lifecycle) -> Awaitable[None]:
    """Serve one request. Ends when its response is sent, its teardown has run and its thread is free.

    :param run: `run_override` to serve it through the application's own `wsgi_app`.
    """
    serve_it = _serve_in_scope if _get_running_loop() is None else _serve
    return serve_it(app, scope, receive, send, run)


async def _serve_in_scope(app: Flask, scope: Scope, receive: Receive, send: Send, run: Run) -> None:
    """Serve one request on trio, where nothing but a scope that was entered beforehand can be cancelled."""
    with anyio.CancelScope() as cancel_scope:
        await _serve(app, scope, receive, send, run, cancel_scope)


async def _serve(
    app: Flask, scope: Scope, receive: Receive, send: Send, run: Run, cancel_scope: anyio.CancelScope | None = None
) -> None:
    environ = build_environ(scope)
    body = _add_body(environ, receive)
    call = OnLoop(app._worker_threads, app.config)
    exchange = Exchange(call, environ, body, receive, cancel_scope)
    error: BaseException | None = None
    try:
        try:
            await run(app, call, exchange, environ)
            call.check()
            exchange.receive, client = None, exchange.client
            if client is not None:
                await client.ignore()
            if client is None or not client.has_left:
                answer = exchange.answer
                sending = send_answer(call, answer, send, exchange.receive_while_sending)
                seconds = app.config["RESPONSE_TIMEOUT"] if answer.timeout is ... else answer.timeout
                await (sending if seconds is None else within(seconds, sending))
        except BaseException as raised:
            error, exchange.receive = raised, None
            if type(raised) is GeneratorExit:
                call.drop()
            if exchange.client is None or not exchange.client.has_caused(raised):
                raise
        finally:
            if exchange.client is not None or exchange.has_to_be_closed() or call.dropped:
                await _finish(call, exchange, error)
        # a cancellation may have arrived while the thread closed the body
        call.check()
    except HouseIsFull:
        await send_answer(call, house_is_full(app.config["WORKER_WAIT"]), send, None)
    finally:
        # what refers to each other, the error to this frame: without the cycles, what they hold is freed at once
        call.exchange = error = None
        exchange.ends()
        _release(call, body)


async def _finish(call: OnLoop, exchange: Exchange, error: BaseException | None) -> None:
    try:
        if exchange.client is not None:
            await exchange.client.ignore(error)
    finally:
        # whether or not the request was cancelled once more
        if exchange.has_to_be_closed() or call.dropped:
            await call.run(exchange.close(error))


def _release(call: OnLoop, body: RequestBody | None) -> None:
    call.release()
    if not call.dropped:
        # else its thread may still be at it
        if body is not None:
            body.close()
        if len(call.context) > OWN_VARIABLES:
            call.copy_out()


def _add_body(environ: dict[str, Any], receive: Receive) -> RequestBody | None:
    """Give the environ its input where there is something to be received; return it."""
    if not expects_body(environ):
        return None
    body = environ["wsgi.input"] = RequestBody(receive)
    environ["flaskctx.receive_body"] = body.receive_all
    return body


async def own_request_context(app: Flask, call: OnLoop, environ: dict[str, Any]) -> RequestContext:
    """Make the request's context in an application that has its own way of doing so."""
    if overridden(app, "request_context") or overridden(app, "create_url_adapter"):
        context: RequestContext = await call.run(call(app.request_context, environ))
        return context
    return app.request_context(environ)


def house_is_full(wait: float) -> Answer:
    """Return the answer to a request that was refused because no worker thread became free in `wait` seconds."""
    text = b"All worker threads are busy. Please try again."
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(text))),
        ("Retry-After", str(max(1, math.ceil(wait)))),
    ]
    answer = Answer(503, headers)
    answer.chunks = [text]
    return answer
