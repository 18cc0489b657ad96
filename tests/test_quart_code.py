"""Code written for Quart: what it may keep, and where it's told to change (docs/quart-parity.md)."""

from __future__ import annotations

import asyncio

import pytest

from flaskctx import copy_current_request_context, render_template_string, request, run_in_thread, websocket

ASGI = pytest.mark.worlds("asgi-asyncio", "asgi-trio")


@pytest.mark.parametrize(
    "value", [lambda: request.get_json(), lambda: request.form, lambda: render_template_string("text")]
)
def test_awaiting_what_is_a_value_is_a_type_error(app, server, value):
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.post("/")
    async def view():
        return await value()

    with pytest.raises(TypeError, match="'await' expression"):
        server.request("POST", "/", json={"a": 1})


@ASGI
def test_a_body_is_iterated_as_it_arrives(app, server):
    @app.post("/", stream=True)
    async def view():
        return {"size": sum([len(chunk) async for chunk in request.stream])}

    assert server.request("POST", "/", data=b"x" * 200_000).json == {"size": 200_000}


def test_sync_code_runs_in_a_thread_with_the_request(app, server):
    @app.get("/<name>")
    async def view(name):
        return await run_in_thread(lambda: request.path)

    assert server.get("/peter").text == "/peter"


@pytest.mark.worlds("wsgi", "asgi-asyncio")
def test_a_task_of_the_view_sees_the_request(app, server):
    @app.get("/")
    async def view():
        @copy_current_request_context
        async def task():
            return request.path

        return await asyncio.create_task(task())

    assert server.get("/").text == "/"


async def test_copying_the_request_context_copies_the_websocket(app):
    @app.websocket("/")
    async def view():
        @copy_current_request_context
        async def task():
            await websocket.send(request.path)

        await websocket.accept()
        await asyncio.create_task(task())

    async with app.async_test_client() as client, client.websocket("/") as talk:
        assert await talk.receive() == "/"


async def test_the_three_serving_hooks_run_around_the_block_of_a_client(app):
    seen = []
    app.before_serving(lambda: seen.append("before"))
    app.after_serving(lambda: seen.append("after"))

    @app.while_serving
    async def around():
        seen.append("in")
        yield
        seen.append("out")

    async with app.async_test_client():
        seen.append("served")
    assert seen == ["before", "in", "served", "out", "after"]
