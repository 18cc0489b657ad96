"""An application whose `wsgi_app` was replaced by ProxyFix: the middleware takes effect under every protocol."""

from __future__ import annotations

import time

import pytest

from .kinds import by_name
from .serving import at_once

NAMES = [
    "gunicorn-gthread",
    "gunicorn-gevent",
    "gunicorn-asgi",
    "uvicorn-uvloop-httptools",
    "hypercorn-trio",
    "granian-asgi",
]


@pytest.fixture(scope="module", params=NAMES)
def proxied(request, start_for_module):
    return start_for_module(by_name[request.param], "proxied")


def test_the_view_sees_the_client_behind_the_proxy(proxied, colour):
    def ask(number):
        headers = {"X-Forwarded-For": f"192.0.2.{number}", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "x.org"}
        return proxied.get(f"/{colour}/client", headers).json

    for number, seen in enumerate(at_once(ask, range(10))):
        assert seen == {"address": f"192.0.2.{number}", "url": f"https://x.org/{colour}/client"}


def test_bodies_and_streams_pass_through(proxied):
    assert proxied.post("/async/echo", b"x" * 200_000).body == b"x" * 200_000
    assert proxied.get("/async/stream").text == "0\n1\n2\n"


def test_an_endless_stream_ends_once_when_the_client_leaves(proxied):
    with proxied.socket(b"GET /async/endless?key=left HTTP/1.1\r\nHost: x\r\n\r\n") as connected:
        assert connected.recv(100)
    proxied.wait_for_journal("left", "closed", "teardown", seconds=2)
    time.sleep(0.1)
    assert sorted(proxied.journal("left")) == ["closed", "teardown"]


def test_the_server_ends_without_complaint(proxied):
    proxied.terminate()
    proxied.wait_for_end()
    assert proxied.complaints() == []
