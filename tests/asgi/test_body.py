"""flaskctx/asgi/body.py: the request's body, read as a file while it arrives."""

from __future__ import annotations

import anyio
import pytest

from flaskctx import request

CHUNKED = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/", "query_string": b"",
           "headers": [(b"transfer-encoding", b"chunked")]}  # fmt: skip


@pytest.fixture(params=["asyncio", "trio"])
def post(request, app):
    """Send a body in parts; returns the messages of the response."""

    def post(*parts):
        messages = []
        left = list(parts)

        async def receive():
            await anyio.sleep(0)
            part = left.pop(0)  # an IndexError: more was asked for than there is
            return {"type": "http.request", "body": part, "more_body": bool(left)}

        async def send(message):
            messages.append(message)

        async def serve():
            with anyio.fail_after(5):
                await app.asgi(dict(CHUNKED), receive, send)

        anyio.run(serve, backend=request.param)
        return messages

    return post


def test_read_with_a_size_waits_for_that_many_bytes(app, post):
    @app.post("/", stream=True)
    def view():
        body = request.stream
        return [len(body.read(4)), len(body.read(0)), len(body.read(10)), len(body.read(100)), len(body.read(1))]

    messages = post(b"ab", b"cd", b"efg", b"hijklmnopqrst")
    assert messages[1]["body"] == b"[4,0,10,6,0]\n"


def test_lines_may_come_in_parts(app, post):
    @app.post("/", stream=True)
    def view():
        body = request.stream
        return [body.readline().decode(), body.readline(2).decode(), *(line.decode() for line in body)]

    assert post(b"on", b"e\ntwo", b"\nth", b"ree")[1]["body"] == b'["one\\n","tw","o\\n","three"]\n'


@pytest.mark.parametrize("parts", [(b"12345",), (b"123", b"45"), (b"123", b"45", b"6")])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_who_reads_on_after_a_413_gets_a_413_and_no_part_of_the_body(app, post, parts, kind):
    app.config["MAX_CONTENT_LENGTH"] = 4

    @app.errorhandler(413)
    def too_large(error):
        try:
            return request.get_data(), 200
        except type(error):
            return "again", 413

    def view():
        raise AssertionError("never called")

    async def async_view():
        raise AssertionError("never called")

    app.post("/", endpoint="view")(view if kind == "def" else async_view)
    start, body = post(*parts)
    assert (start["status"], body["body"]) == (413, b"again")


def test_what_was_read_is_dropped_also_when_a_rest_is_left(app, post):
    sizes = []

    @app.post("/", stream=True)
    def view():
        data = b""
        while part := request.stream.read(3):
            data += part
            sizes.append(len(request.stream._file.getvalue()))
        return data

    parts = [b"%05d" % number for number in range(20)]
    assert post(*parts)[1]["body"] == b"".join(parts)
    assert max(sizes) <= 8
