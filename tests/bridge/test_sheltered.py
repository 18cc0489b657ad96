"""Teardown functions that are `async def` run to their end, however often the request is cancelled."""

from __future__ import annotations

import functools

import anyio
import pytest

from flaskctx import Flask


def decorated(function):
    """A `def` function, as decorators make them, that returns the coroutine of an `async def` one."""

    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


class WithOverride(Flask):
    def do_teardown_request(self, exc=None):
        return super().do_teardown_request(exc)


@pytest.fixture(params=[Flask, WithOverride], ids=["plain", "override"])
def app(request):
    return request.param("app", static_folder=None)


@pytest.mark.parametrize("decorate", [lambda function: function, decorated], ids=["async def", "decorated"])
@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_a_cancellation_does_not_cut_them(app, server, decorate):
    begun, torn_down = [], []

    @app.teardown_request
    @decorate
    async def teardown(error):
        begun.append(True)
        await anyio.sleep(0.05)
        torn_down.append(True)

    @app.get("/")
    async def view():
        await anyio.sleep_forever()

    async def main():
        with anyio.move_on_after(5), anyio.CancelScope() as inner:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(app.async_test_client().get, "/")
                await anyio.sleep(0.02)
                inner.cancel()
        return inner.cancelled_caught

    assert server.run(main)
    assert (begun, torn_down) == ([True], [True])


@pytest.mark.parametrize("decorate", [lambda function: function, decorated], ids=["async def", "decorated"])
@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_one_that_takes_too_long_is_cut_off_and_named_in_the_log(app, server, decorate, caplog):
    app.config["TEARDOWN_WAIT"] = 0.01

    @app.teardown_request
    @decorate
    async def endless_teardown(error):
        await anyio.sleep_forever()

    app.get("/")(lambda: "hello")
    assert server.get("/").text == "hello"
    assert "endless_teardown" in caplog.text
