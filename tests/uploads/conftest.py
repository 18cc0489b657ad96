"""A client of every world that sends a body in pieces, and knows how much of it was asked for."""

from __future__ import annotations

import io

import anyio
import pytest
import werkzeug.test

from ..conftest import WORLDS, Answer, AsgiServer, Exchange, WsgiServer, build_scope

PIECE = 50_000
EDGE = "edge"
FORM = f"multipart/form-data; boundary={EDGE}"


def part_of(name, content, filename=None, headers=""):
    """Return one part of a multipart body."""
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{headers}\r\n'
    return head.encode() + content + b"\r\n"


END = f"--{EDGE}--\r\n".encode()


class Body(io.RawIOBase):
    """A body that is sent piece by piece: `sent` bytes of it were taken so far.

    :param length: how many bytes the client promises; it leaves when it has no more.
    """

    def __init__(self, data, length=None):
        self.data = data
        self.length = len(data) if length is None else length
        self.sent = 0

    def take(self, size):
        piece = self.data[self.sent : self.sent + size]
        self.sent += len(piece)
        return piece

    def readable(self):
        return True

    def readinto(self, buffer):
        piece = self.take(min(PIECE, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


class Pieces(Exchange):
    def __init__(self, body):
        super().__init__()
        self.body = body

    async def receive(self):
        await anyio.sleep(0)
        piece = self.body.take(PIECE)
        if not piece:
            if self.body.sent == self.body.length:
                await anyio.sleep_forever()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": self.body.sent < self.body.length}


class Client:
    """`post` sends a body and returns the answer; `body` is what was sent last."""

    def __init__(self, server):
        self.server = server
        self.body = None

    def post(self, data, content_type=FORM, *, length=None, declared=True):
        self.body = body = Body(data, length)
        environ = werkzeug.test.EnvironBuilder("/", method="POST").get_environ()
        environ["CONTENT_TYPE"] = content_type
        if declared:
            environ["CONTENT_LENGTH"] = str(body.length)
        else:
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
            environ["wsgi.input_terminated"] = True
        environ["wsgi.input"] = body
        if isinstance(self.server, WsgiServer):
            return self.server._serve(environ)
        return self.server.run(self._exchange, environ)

    async def _exchange(self, environ):
        exchange = Pieces(self.body)
        scope = build_scope(environ)
        with anyio.fail_after(10):
            await self.server.app.asgi(scope, exchange.receive, exchange.send)
        assert exchange.ended
        answer: Answer = exchange.answer
        return answer


@pytest.fixture(params=WORLDS)
def client(request, app):
    server = WsgiServer(app) if request.param == "wsgi" else AsgiServer(app, request.param.removeprefix("asgi-"))
    yield Client(server)
    server.close()
