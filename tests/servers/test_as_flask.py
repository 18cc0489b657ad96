"""Servers started by `python -m flaskctx.compat -m ...`, with an application that imports `flask`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .kinds import by_name

NAMES = ["gunicorn-sync", "gunicorn-gevent-preload", "uvicorn-asyncio-h11"]


@pytest.fixture(scope="module", params=NAMES)
def aliased(request, start_for_module):
    kind = by_name[request.param]
    return start_for_module(replace(kind, command=f"flaskctx.compat -m {kind.command}"), "as_flask")


def test_the_application_gets_flaskctx(aliased, colour):
    path = f"/{colour}/who"
    assert aliased.get(path).json == {"flask": "flaskctx", "view": "flaskctx.views", "path": path}


def test_it_ends_when_it_is_told_to(aliased):
    aliased.terminate()
    aliased.wait_for_end()
    assert aliased.complaints() == []
