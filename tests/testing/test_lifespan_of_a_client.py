"""flaskctx/testing/lifespan.py: `async with client` runs the application's startup and shutdown, once."""

from __future__ import annotations

import anyio
import pytest


@pytest.fixture(params=["asyncio", "trio"])
def run(request):
    """Run a coroutine function on each loop, for a bounded time."""

    async def bounded(function):
        with anyio.fail_after(10):
            await function()

    return lambda function: anyio.run(bounded, function, backend=request.param)


@pytest.fixture
def lifespans(app, monkeypatch):
    """What the application has been told of its lifespan; `lifespans.fail` names an event that fails."""

    class Lifespans(list):
        fail = None

    told = Lifespans()

    async def adapter(self, scope, receive, send):
        if scope["type"] != "lifespan":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"hello"})
            return
        for event in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{event}"
            told.append(event)
            if told.fail == event:
                await send({"type": f"lifespan.{event}.failed", "message": "no database"})
                return
            await send({"type": f"lifespan.{event}.complete"})

    monkeypatch.setattr(type(app.asgi), "__call__", adapter)
    return told


def test_is_run_around_the_block(app, run, lifespans):
    async def main():
        async with app.async_test_client() as client:
            assert lifespans == ["startup"]
            assert (await client.get("/")).text == "hello"
        assert lifespans == ["startup", "shutdown"]

    run(main)


def test_is_run_for_the_outermost_of_nested_blocks(app, run, lifespans):
    async def main():
        client = app.async_test_client()
        async with client.lifespan(), client:
            async with client:
                pass
            assert lifespans == ["startup"]
        assert lifespans == ["startup", "shutdown"]
        async with client:
            pass
        assert lifespans == ["startup", "shutdown"] * 2

    run(main)


def test_is_shared_by_all_clients_on_the_loop(app, run, lifespans):
    async def main():
        async with app.async_test_client() as first:
            async with app.async_test_client() as second:
                await second.get("/")
            await first.get("/")
            assert lifespans == ["startup"]
        assert lifespans == ["startup", "shutdown"]

    run(main)


def test_is_awaited_by_all_who_enter_at_once(app, run, lifespans):
    async def main():
        async def use():
            async with app.async_test_client():
                assert lifespans == ["startup"]
                await anyio.sleep(0)

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(use)

    run(main)
    assert lifespans == ["startup", "shutdown"]


def test_is_ended_when_the_block_fails(app, run, lifespans):
    async def main():
        with pytest.raises(LookupError):
            async with app.async_test_client():
                raise LookupError
        assert lifespans == ["startup", "shutdown"]

    run(main)


@pytest.mark.parametrize("event", ["startup", "shutdown"])
def test_a_failure_is_an_error_with_the_applications_message(app, run, lifespans, event):
    lifespans.fail = event

    async def main():
        with pytest.raises(RuntimeError, match=f"{event} failed: no database"):
            async with app.async_test_client():
                pass

    run(main)


def test_is_not_run_without_the_block(app, run, lifespans):
    async def main():
        assert (await app.async_test_client().get("/")).text == "hello"
        assert lifespans == []

    run(main)


def test_an_application_that_sends_no_response_is_an_error(app, run, monkeypatch):
    async def silent(self, scope, receive, send):
        pass

    monkeypatch.setattr(type(app.asgi), "__call__", silent)

    async def main():
        with pytest.raises(RuntimeError, match="returned without sending a response"):
            await app.async_test_client().get("/")

    run(main)
