"""Large uploads: memory stays where it was, and a file is on disk once or not at all."""

from __future__ import annotations

import json
import sys

import pytest

from .kinds import by_name
from .sending import MEGABYTE, Sampler, upload

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="open files are looked at in /proc")

SIZE = 64 * MEGABYTE
SERVERS = [
    by_name[name] for name in ("uvicorn-uvloop-httptools", "hypercorn-asyncio", "hypercorn-trio", "gunicorn-gthread")
]


@pytest.fixture(params=SERVERS, scope="module")
def receiver(request, start_for_module):
    return start_for_module(request.param, "uploads")


def test_read_part_by_part_it_is_held_nowhere(receiver, colour):
    with Sampler(receiver) as held:
        status, body = upload(receiver, f"/{colour}/parts", SIZE)
    assert (status, json.loads(body)) == (200, {"size": SIZE})
    assert held.memory < 16 * MEGABYTE
    assert held.disk < MEGABYTE


def test_as_a_file_of_the_form_it_is_on_disk_once(receiver, colour):
    with Sampler(receiver) as held:
        status, body = upload(receiver, f"/{colour}/files", SIZE)
    assert (status, json.loads(body)) == (200, {"size": SIZE})
    assert held.memory < 16 * MEGABYTE
    assert held.disk < SIZE + MEGABYTE
