"""One websocket through ASGI: its handshake goes through the lifecycle of a request, and its view talks meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio

from ..bridge import HouseIsFull, OnLoop
from ..bridge.loops import asyncio_is_running, droppable
from ..lifecycle import serve
from .client import Cancellation, ends_with_its_client
from .connection import WebsocketConnection
from .environ import build_environ
from .exchange import Exchange
from .http import house_is_full, own_request_context
from .sending import OWN_VARIABLES, send_answer

if TYPE_CHECKING:
    from ..app import Flask
    from .answer import Answer
    from .types import Message, Receive, Scope, Send

_SCHEMES = {"ws": "http", "wss": "https"}


async def serve_websocket(app: Flask, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one websocket. Ends when its view has, its teardown has run and it is closed."""
    if (await receive())["type"] != "websocket.connect":
        return
    environ = build_environ({**scope, "method": "GET", "scheme": _SCHEMES.get(scope.get("scheme", "ws"), "http")})
    # what makes a handshake of the request to werkzeug, also where HTTP/2 has other ways to say so
    environ.update(HTTP_CONNECTION="Upgrade", HTTP_UPGRADE="websocket")
    environ["asgi.scope"] = scope
    connection = environ["flaskctx.websocket"] = WebsocketConnection(scope, receive, send)
    call = OnLoop(app._websocket_threads, app.config)
    exchange = Exchange(call, environ)
    try:
        await _serve(app, call, exchange, environ, connection)
        await _end(call, exchange.answer, connection, scope, send)
    except HouseIsFull:
        await _deny(call, house_is_full(app.config["WORKER_WAIT"]), connection, scope, send)
    finally:
        if exchange.has_to_be_closed():
            await call.run(exchange.close(None))
        connection.end()
        call.exchange = None
        call.release()
        if len(call.context) > OWN_VARIABLES and not call.dropped:
            call.copy_out()


async def _serve(
    app: Flask, call: OnLoop, exchange: Exchange, environ: dict[str, Any], connection: WebsocketConnection
) -> None:
    """Bring the lifecycle to its end while the connection is read; the view is cancelled if the client goes unseen."""
    error: BaseException | None = None

    def leaves_unnoticed() -> None:
        if ends_with_its_client(exchange.context):
            cancellation.strike()

    async with droppable(anyio.create_task_group()) as tasks:
        with droppable(anyio.CancelScope()) as scope:
            cancellation = Cancellation(asyncio.current_task() if asyncio_is_running() else None, scope)
            tasks.start_soon(connection.read, exchange.notice_leaving, leaves_unnoticed)
            try:
                exchange.context = context = await own_request_context(app, call, environ)
                # never taken for plain: whether the handshake is answered already is asked on the way
                await call.run(serve(call, context, exchange, False))
                call.check()
            except (Exception, HouseIsFull) as raised:
                # kept for outside: the task group would wrap it
                error = raised
            except BaseException as raised:
                if not cancellation.has_caused(raised):
                    raise
            finally:
                # a view may have caught it
                cancellation.take_back()
        tasks.cancel_scope.cancel()
    if error is not None:
        raise error


async def _end(call: OnLoop, answer: Answer | None, connection: WebsocketConnection, scope: Scope, send: Send) -> None:
    """Close what was accepted, with a code that fits the response; else the response is a rejection."""
    if connection.has_left:
        return
    if not connection.accepted and not connection.refused and answer is not None:
        await _deny(call, answer, connection, scope, send)
        return
    status = 101 if answer is None else answer.code
    # RFC 6455, section 7.4.1: a normal end, "policy violation", "unexpected condition"
    await connection.close(1000 if status < 400 else 1008 if status < 500 else 1011, "")


async def _deny(call: OnLoop, answer: Answer, connection: WebsocketConnection, scope: Scope, send: Send) -> None:
    """Answer the handshake with a response, where the server can send one; else with the 403 of a closed websocket.

    Source: https://asgi.readthedocs.io/en/latest/extensions.html#websocket-denial-response
    """
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await connection.close(1000, "")
        return

    async def deny(message: Message) -> None:
        await send({**message, "type": "websocket." + message["type"]})

    await send_answer(call, answer, deny, None)
