"""The server's side of one ASGI request: the scope made of a test's request, the messages in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import anyio
from werkzeug.datastructures import EnvironHeaders, Headers

if TYPE_CHECKING:
    from werkzeug.wrappers import Request as BaseRequest

CHUNK = 64 * 1024
"""Bytes of a request's body in one message, as servers send them."""

_FROM_SCOPE = frozenset({
    "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH",
    "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "REMOTE_PORT", "werkzeug.request",
})  # fmt: skip
"""What the application makes of the scope itself."""


def build_scope(request: BaseRequest) -> dict[str, Any]:
    """Return the scope of a test's request.

    Of the request's environ, what no scope has (`REMOTE_USER`, what the test has invented) goes along.
    """
    environ = request.environ
    root_path, path = (environ.get(key, "").encode("latin-1") for key in ("SCRIPT_NAME", "PATH_INFO"))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": environ["SERVER_PROTOCOL"].partition("/")[2],
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": (root_path + path).decode("utf-8", "replace"),
        "raw_path": quote(root_path + path, safe="/:@!$&'()*+,;=~").encode("ascii"),
        "query_string": environ["QUERY_STRING"].encode("latin-1"),
        "root_path": root_path.decode("utf-8", "replace"),
        "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in EnvironHeaders(environ)],
        "client": (environ.get("REMOTE_ADDR", "127.0.0.1"), int(environ.get("REMOTE_PORT", 0))),
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
        "flaskctx.test_client": True,
        "flaskctx.environ": {
            key: value
            for key, value in environ.items()
            if not (key in _FROM_SCOPE or key.startswith(("HTTP_", "wsgi."))) or key == "wsgi.errors"
        },
    }


class Exchange:
    """One request whose body is known, and its whole response."""

    def __init__(self, body: bytes) -> None:
        self._to_send = [body[start : start + CHUNK] for start in range(0, len(body), CHUNK)] or [b""]
        self._chunks: list[bytes] = []
        self._ended = anyio.Event()
        self.status = 0
        self.headers = Headers()

    @property
    def body(self) -> bytes:
        """What has been sent of the response's body."""
        return b"".join(self._chunks)

    async def receive(self) -> dict[str, Any]:
        """Give the application the next part of the request; the client leaves when it has the response."""
        if self._to_send:
            body = self._to_send.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self._to_send)}
        await self._ended.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Take a part of the response from the application."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], decoded_headers(message)
            return
        self._chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            self._ended.set()

    def check(self) -> None:
        """Complain of an application that has returned without a whole response."""
        if not self._ended.is_set():
            what = "the end of its response" if self.status else "a response"
            raise RuntimeError(f"The ASGI application has returned without sending {what}.")


def decoded_headers(message: Any) -> Headers:
    """Return the headers of a message."""
    return Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]])
