"""A mounted Starlette application and ASGI middleware under real servers: lifespan and state from start to stop."""

import pytest

from .kinds import by_name

NAMES = ("gunicorn-gthread", "gunicorn-gevent", "uvicorn-uvloop-httptools", "hypercorn-asyncio", "hypercorn-trio")


@pytest.mark.parametrize("name", NAMES)
def test_a_guest_lives_as_long_as_its_host(start, name):
    pytest.importorskip("starlette")
    kind = by_name[name]
    site = start(kind, "guests")
    for _ in range(3):
        answer = site.get("/guest/look")
        assert answer.text == "a pool /guest/look"
        assert answer.headers["X-Middleware"] == (None if kind.is_wsgi else "yes")
    assert site.journal("guest") == ["started"]
    site.terminate()
    site.wait_for_end()
    assert site.journal("guest") == ["started", "stopped"]
    assert not site.complaints(), site.output
