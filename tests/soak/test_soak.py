"""Minutes of mixed requests, after which a server must hold no more than it did soon after its start.

Not part of the ordinary run: `nox -s soak`, or `pytest -m soak`. SOAK_SECONDS says how long each server is kept
busy, 60 by default.
"""

import contextlib
import http.client
import os
import random
import threading
import time

import psutil
import pytest

from ..servers.kinds import by_name
from ..servers.serving import RunningServer

pytestmark = pytest.mark.soak

SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))
CLIENTS = 12
MEGABYTE = 1024**2


@pytest.mark.parametrize("name", ["uvicorn-asyncio-h11", "uvicorn-uvloop-httptools", "gunicorn-gthread"])
def test_a_busy_server_holds_on_to_nothing(name, tmp_path):
    server = RunningServer(by_name[name], "examples.tour.app", tmp_path, ready="/")
    try:
        server.wait_until_ready()
        # until threads and allocators have grown to their size
        keep_busy(server, 20)
        before = holdings(server)
        keep_busy(server, SECONDS)
        after = holdings(server)
        server.terminate()
        server.wait_for_end()
    finally:
        server.kill()
    print(f"{name}: {before} before, {after} after")
    assert after["memory"] < before["memory"] + 10 * MEGABYTE
    assert after["threads"] <= before["threads"] + CLIENTS
    assert after["files"] <= before["files"] + 2
    assert not server.complaints(), server.output


def keep_busy(server, seconds):
    """Send requests of all kinds from several clients; a third of the streams are left half-way."""
    deadline = time.monotonic() + seconds
    failures = []

    def work(seed):
        dice = random.Random(seed)
        try:
            while time.monotonic() < deadline and not failures:
                dice.choice(ACTIONS)(server, dice)
        except Exception as error:
            failures.append(error)

    clients = [threading.Thread(target=work, args=(seed,)) for seed in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert not failures, failures
    time.sleep(2)  # what was left half-way is noticed at the next line


def wait(server, dice):
    number = dice.randrange(1_000_000)
    seen = server.get(dice.choice(["/wait/def", "/wait/async"]), number=number).json
    assert seen["request"] == seen["g"] == number


def count(server, dice):
    assert server.post("/count", b"").json == {"count": 1}


def upload(server, dice):
    size = dice.randrange(3_000_000)
    assert server.post("/upload", bytes(size)).json["size"] == size


def miss(server, dice):
    assert server.get(f"/{dice.random()}").status == 404


def leave_an_upload(server, dice):
    with server.socket(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\nsome"):
        pass


def stream(server, dice):
    connection = server.connection()
    try:
        connection.request("GET", dice.choice(["/stream/def?name=soak", "/stream/async?name=soak"]))
        response = connection.getresponse()
        if dice.random() < 0.3:
            with contextlib.suppress(http.client.HTTPException):
                response.read(20)
        else:
            assert len(response.read().splitlines()) == 24
    finally:
        connection.close()


ACTIONS = [wait, count, count, count, upload, miss, miss, leave_an_upload, stream]


def holdings(server):
    """Return what all processes of the server hold: bytes of memory, threads, open files and sockets."""
    leader = psutil.Process(server.process.pid)
    processes = [leader, *leader.children(recursive=True)]
    return {
        "memory": sum(process.memory_info().rss for process in processes),
        "threads": sum(process.num_threads() for process in processes),
        "files": sum(process.num_fds() for process in processes),
    }
