"""Two gigabytes in one upload, through `def` and `async def` views: memory and temporary disk are sampled.

UPLOAD_MEGABYTES says how large it is, 2048 by default.
"""

import json
import os

import pytest

from ..servers.kinds import by_name
from ..servers.sending import MEGABYTE, Sampler, upload
from ..servers.serving import RunningServer

pytestmark = pytest.mark.soak

SIZE = int(os.environ.get("UPLOAD_MEGABYTES", "2048")) * MEGABYTE


@pytest.mark.parametrize("path", ["/def/parts", "/async/parts", "/def/files", "/async/files"])
@pytest.mark.parametrize("name", ["uvicorn-uvloop-httptools", "hypercorn-trio", "gunicorn-gthread"])
def test_a_large_upload_holds_memory_constant(name, path, tmp_path):
    server = RunningServer(by_name[name], "uploads", tmp_path)
    try:
        server.wait_until_ready()
        with Sampler(server) as held:
            status, body = upload(server, path, SIZE)
        server.terminate()
        server.wait_for_end()
    finally:
        server.kill()
    print(f"{name} {path}: {held.memory / MEGABYTE:.0f} MB of memory, {held.disk / MEGABYTE:.0f} MB of disk")
    assert (status, json.loads(body)) == (200, {"size": SIZE})
    assert held.memory < 16 * MEGABYTE
    assert held.disk < (SIZE if path.endswith("files") else 0) + MEGABYTE
    assert not server.complaints(), server.output
