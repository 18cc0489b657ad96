"""Mounted foreign applications, on both sides of the protocols, under real servers."""

import hashlib

import pytest

from .kinds import by_name
from .serving import at_once, seconds_of

NAMES = ("gunicorn-gthread", "gunicorn-gevent", "uvicorn-uvloop-httptools", "hypercorn-asyncio")
GUESTS = ("wsgi", "asgi")


@pytest.fixture(params=NAMES)
def site(request, start):
    return start(by_name[request.param], "mounts")


def test_mounted_applications_are_served(site):
    body = b"flaskctx" * 20_000
    for guest in GUESTS:
        assert site.post(f"/{guest}/", body).text == hashlib.sha256(body).hexdigest()
        chunked = site.post(f"/{guest}/", iter([body[:50_000], body[50_000:]]), {"Transfer-Encoding": "chunked"})
        assert chunked.text == hashlib.sha256(body).hexdigest()
        assert site.get(f"/{guest}ish").status == 404
        assert seconds_of(at_once, site.get, [f"/{guest}/wait"] * 8) < 1.5  # 2.4 one by one

    for guest in GUESTS:
        with site.socket(f"GET /{guest}/endless?{guest} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()) as client:
            while b"more" not in client.recv(1000):
                pass
        assert site.wait_for_journal(guest, "closed") == ["closed"]

    site.terminate()
    site.wait_for_end()
    assert not site.complaints(), site.output
