"""Tasks that start eagerly (Python 3.12) run within the task that makes them, and are tasks of their own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from flaskctx import request

pytestmark = [
    pytest.mark.skipif(not hasattr(asyncio, "eager_task_factory"), reason="new in Python 3.12"),
    pytest.mark.worlds("asgi-asyncio"),
]


def test_a_child_task_may_have_def_functions_called(app, server):
    @app.get("/")
    async def view():
        async def child():
            name = await app.ensure_async(lambda: threading.current_thread().name)()
            async with app.app_context():
                return [name.startswith("flaskctx-worker"), request.path]

        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        return await asyncio.create_task(child())

    assert server.get("/").json == [True, "/"]


def test_so_may_a_request_that_starts_so_itself(app, server):
    @app.get("/")
    async def view():
        return await app.ensure_async(lambda: request.path)()

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        client = app.async_test_client()
        return await asyncio.gather(client.get("/"), client.get("/"))

    assert [response.text for response in server.run(main)] == ["/", "/"]
