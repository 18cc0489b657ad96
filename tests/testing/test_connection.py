"""flaskctx/testing/connection.py: requests that are sent, and responses that are read, bit by bit."""

from __future__ import annotations

import itertools

import anyio
import pytest

from flaskctx import Response, g, request, stream_with_context


@pytest.fixture(params=["asyncio", "trio"])
def run(request):
    """Run a coroutine function on each loop, for a bounded time."""

    async def bounded(function):
        with anyio.fail_after(10):
            await function()

    return lambda function: anyio.run(bounded, function, backend=request.param)


@pytest.fixture
def client(app):
    @app.post("/echo", stream=True)
    async def echo():
        async def upper():
            async for data in request.stream:
                yield data.upper()

        return Response(stream_with_context(upper()))

    @app.get("/endless")
    async def endless():
        g.ended = ended = app.extensions["ended"] = []

        async def count():
            try:
                for number in itertools.count():
                    yield b"%d " % number
            finally:
                ended.append(True)

        return Response(count())

    @app.route("/whole", methods=["GET", "POST"])
    def whole():
        response = Response(request.get_data() or b"hello", 201)
        response.set_cookie("name", "value")
        return response

    return app.async_test_client()


def test_what_is_sent_is_answered_while_the_request_is_under_way(client, run):
    async def main():
        async with client.request("/echo", method="POST") as connection:
            await connection.send(b"one")
            assert await connection.receive() == b"ONE"
            assert connection.status_code == 200
            assert connection.headers["Content-Type"] == "text/html; charset=utf-8"
            await connection.send(b"two")
            assert await connection.receive() == b"TWO"
            await connection.send_complete()
            assert await connection.receive() == b""

    run(main)


def test_as_response_has_what_was_not_received(client, run):
    async def main():
        async with client.request("/echo", method="POST") as connection:
            await connection.send(b"one")
            await connection.receive()
            await connection.send(b"two")
            await connection.send(b"three")
        response = await connection.as_response()
        assert (response.status_code, response.data) == (200, b"TWOTHREE")
        assert response.request.path == "/echo"

    run(main)


def test_it_can_be_iterated(client, run):
    async def main():
        async with client.request("/echo", method="POST") as connection:
            await connection.send(b"one")
            await connection.send_complete()
            assert b"".join([chunk async for chunk in connection]) == b"ONE"

    run(main)


def test_a_body_may_be_given_at_once(client, run):
    async def main():
        async with client.request("/whole", method="POST", data=b"body") as connection:
            assert await connection.receive() == b"body"

    run(main)


def test_without_a_body_it_is_a_plain_request(client, run):
    async def main():
        async with client.request("/whole") as connection:
            await connection.started()
            assert connection.status_code == 201
        assert (await connection.as_response()).data == b"hello"

    run(main)


def test_cookies_are_sent_and_taken(client, run):
    async def main():
        client.set_cookie("sent", "1")
        async with client.request("/whole") as connection:
            pass
        assert (await connection.as_response()).request.cookies["sent"] == "1"
        assert client.get_cookie("name").value == "value"

    run(main)


def test_a_stream_without_end_ends_when_the_client_disconnects(app, client, run):
    async def main():
        async with client.request("/endless") as connection:
            assert (await connection.receive()).startswith(b"0")
            await connection.disconnect()
        assert app.extensions["ended"] == [True]

    run(main)


def test_a_view_whose_client_disconnects_in_its_body_may_answer_all_the_same(app, client, run):
    noted = []

    @app.post("/partial", stream=True)
    async def partial():
        try:
            noted.extend([chunk async for chunk in request.stream])
        finally:
            noted.append("cleaned up")

    async def main():
        async with client.request("/partial", method="POST") as connection:
            await connection.send(b"part")
            await connection.disconnect()
        assert noted == ["cleaned up"]

    run(main)


def test_an_application_is_not_much_ahead_of_a_client_that_does_not_read(app, client, run):
    produced = []

    @app.get("/fast")
    async def fast():
        async def chunks():
            for number in range(1000):
                produced.append(number)
                yield b"x"

        return Response(chunks())

    async def main():
        async with client.request("/fast") as connection:
            await connection.receive()
            await anyio.wait_all_tasks_blocked()
            assert len(produced) < 100
        assert len((await connection.as_response()).data) == 999

    run(main)


def test_an_error_in_the_block_cancels_the_request(app, client, run):
    cancelled = []

    @app.get("/slow")
    async def slow():
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append(True)

    async def main():
        with pytest.raises(LookupError):
            async with client.request("/slow"):
                await anyio.wait_all_tasks_blocked()
                raise LookupError
        assert cancelled == [True]

    run(main)


def test_a_cancellation_of_the_test_cancels_the_request(app, client, run):
    @app.get("/slow")
    async def slow():
        await anyio.sleep_forever()

    async def main():
        with anyio.move_on_after(0.01) as scope:
            async with client.request("/slow") as connection:
                await connection.receive()
        assert scope.cancelled_caught

    run(main)


@pytest.mark.parametrize("place", ["receive", "started", "as_response", "block"])
def test_an_error_of_the_application_is_raised_once(app, client, run, place):
    app.testing = True

    @app.get("/failing")
    async def failing():
        await anyio.sleep(0)
        raise KeyError("the view's")

    async def main():
        with pytest.raises(KeyError, match="the view's"):
            async with client.request("/failing") as connection:
                if place != "block":
                    await getattr(connection, place)()
        assert await connection.receive() == b""

    run(main)


def test_an_error_that_the_test_expects_in_its_block_is_not_raised_again(app, client, run):
    app.testing = True
    app.get("/failing")(lambda: {}["missing"])

    async def main():
        async with client.request("/failing") as connection:
            with pytest.raises(KeyError):
                await connection.receive()

    run(main)


def test_the_context_is_kept_after_the_block_where_the_client_keeps_it(app, client, run):
    app.get("/streamed", endpoint="streamed")(lambda: stream_with_context(iter(["a", "b"])))

    async def main():
        async with client:
            async with client.request("/streamed") as connection:
                assert await connection.receive() == b"a"
            assert request.path == "/streamed"
            await client.get("/whole")
            assert request.path == "/whole"

    run(main)


@pytest.mark.parametrize("method", ["receive", "send_complete", "started", "disconnect", "as_response"])
def test_a_connection_has_to_be_entered(client, run, method):
    async def main():
        with pytest.raises(RuntimeError, match="Enter the connection first"):
            await getattr(client.request("/whole"), method)()

    run(main)


def test_a_connection_is_for_one_request(client, run):
    async def main():
        async with client.request("/whole") as connection:
            pass
        with pytest.raises(RuntimeError, match="for one request"):
            async with connection:
                pass

    run(main)
