"""Servers that are given the application itself, not its adapter."""

from __future__ import annotations

import pytest

from .kinds import Kind

UVICORN = Kind("uvicorn-app", "uvicorn {module}:app --port {port}", "asgi", 64)
HYPERCORN = Kind("hypercorn-app", "hypercorn asgi:{module}:app --bind 127.0.0.1:{port}", "asgi", 64)


@pytest.mark.parametrize("kind", [UVICORN, HYPERCORN])
def test_it_is_served_with_its_lifespan(start, kind):
    server = start(kind, "started")
    process = str(server.get("/pool").json["pid"])
    server.terminate()
    server.wait_for_end()
    assert server.journal(process) == ["def-start", "start", "end", "def-end"]
    assert server.complaints() == []
