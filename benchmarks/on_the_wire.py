"""flaskctx beside Flask, Quart and Starlette on real servers: requests a second, and memory of those that wait.

    python benchmarks/on_the_wire.py [ROUNDS]

One server process for each library, uvicorn or gunicorn, all of them running throughout; in each round all take
their turn. wrk makes the requests where it is installed, else this program does, which limits what it measures. Only
the ratios carry over to another machine; those of requests in a second of the server's CPU time also where others use
the machine. Linux only: /proc tells memory and CPU time.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

FOLDER = Path(__file__).parent
SECONDS = 2
"""How long one measurement takes."""

WAITING = 1000
"""Clients that wait at once."""

UPLOADS = 50
"""Clients that upload all the time, a piece of 100 bytes each 100 ms."""

UVICORN = "uvicorn --app-dir {folder} _wire_apps:{app} --port {port} --log-level critical --no-access-log"
GTHREAD = "gunicorn --chdir {folder} -k gthread --threads 16 --bind 127.0.0.1:{port} --log-level error _wire_apps:{app}"
ON_UVICORN = {"flaskctx": "flaskctx_asgi", "Quart": "quart_asgi", "Starlette": "starlette_asgi"}
ON_GUNICORN = {"flaskctx": "flaskctx_wsgi", "Flask": "flask_wsgi"}

CASES = {
    # title: (command, applications, path, connections)
    "uvicorn, `async def` hello": (UVICORN, ON_UVICORN, "/hello", 32),
    "uvicorn, `def` hello": (UVICORN, ON_UVICORN, "/hello-def", 32),
    "uvicorn, 1,000 clients that `await` 100 ms": (UVICORN, ON_UVICORN, "/wait", WAITING),
    "uvicorn, 100 clients in `time.sleep(0.05)`": (UVICORN, ON_UVICORN, "/sleep", 100),
    "gunicorn gthread, `def` hello": (GTHREAD, ON_GUNICORN, "/hello-def", 16),
}


class Served:
    """An application on a server process of its own."""

    def __init__(self, command: str, app: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        arguments = command.format(folder=FOLDER, port=self.port, app=app).split()
        self._process = subprocess.Popen([sys.executable, "-m", *arguments], stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                asyncio.run(request_repeatedly(self.port, "/hello-def", 8, 0.2))
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def memory(self) -> int:
        """Return the resident memory of the process, in bytes."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    def cpu_time(self) -> float:
        """Return the CPU time that the server has used, its workers included, in seconds."""
        pid = self._process.pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ticks = 0
        for process in [str(pid), *workers]:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])  # utime and stime of proc(5)
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(20)


@contextlib.contextmanager
def all_served(command: str, apps: dict[str, str]) -> Iterator[list[Served]]:
    """Serve applications for the time of the block."""
    with contextlib.ExitStack() as running:
        servers = []
        for app in apps.values():
            servers.append(Served(command, app))
            running.callback(servers[-1].stop)
        yield servers


# -- requests ----------------------------------------------------------------------------------------------


def rate(port: int, path: str, connections: int) -> float:
    """Return how many requests a second are answered."""
    if shutil.which("wrk") is None:
        return asyncio.run(request_repeatedly(port, path, connections, SECONDS))
    command = f"wrk -t1 -c{connections} -d{SECONDS}s http://127.0.0.1:{port}{path}"
    output = subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in output, output
    found = re.search(r"Requests/sec:\s*([\d.]+)", output)
    assert found, output
    return float(found[1])


async def request_repeatedly(port: int, path: str, connections: int, seconds: float) -> float:
    """Make requests on so many connections at once; return how many a second were answered."""
    end = time.monotonic() + seconds
    answered = 0

    async def client() -> None:
        nonlocal answered
        async with connected(port) as (reader, writer):
            while time.monotonic() < end:
                await request(reader, writer, path)
                answered += 1

    await asyncio.gather(*(client() for _ in range(connections)))
    return answered / seconds


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection for the time of the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
    """Make a request and read its response."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert b" 200 " in head.partition(b"\r\n")[0], head
    length = re.search(rb"content-length: (\d+)", head)
    assert length, head
    await reader.readexactly(int(length[1]))


async def memory_of_waiting(server: Served) -> float:
    """Return the memory that a request takes while it waits in its view, its connection included, in KiB."""

    async def client() -> None:
        async with connected(server.port) as (reader, writer):
            await request(reader, writer, "/wait-long")

    before = server.memory()
    clients = asyncio.gather(*(client() for _ in range(WAITING)))
    await asyncio.sleep(3)
    grown = server.memory() - before
    await clients
    return grown / WAITING / 1024


def trickle(port: int, ready: Event) -> None:
    """Upload on so many connections until this process is ended."""

    async def client() -> None:
        async with connected(port) as (_, writer):
            writer.write(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
            while True:
                writer.write(b"x" * 100)
                await asyncio.sleep(0.1)

    async def clients() -> None:
        uploads = asyncio.gather(*(client() for _ in range(UPLOADS)))
        await asyncio.sleep(0.5)
        ready.set()
        await uploads

    asyncio.run(clients())


@contextlib.contextmanager
def trickling(port: int) -> Iterator[None]:
    """Have uploads trickle in for the time of the block, from a process of their own."""
    ready = multiprocessing.Event()
    uploads = multiprocessing.Process(target=trickle, args=(port, ready), daemon=True)
    uploads.start()
    try:
        assert ready.wait(10)
        yield
    finally:
        uploads.terminate()
        uploads.join()


# -- tables ------------------------------------------------------------------------------------------------


def show(title: str, unit: str, samples: dict[str, list[float]]) -> None:
    """Print a line: the medians, and flaskctx's as multiples of the others'."""
    medians = {name: statistics.median(values) for name, values in samples.items()}
    ours = medians.pop("flaskctx")
    others = [
        # a server may have answered nothing in its time
        f"{name} {value:,.1f}{unit}" + (f" ({ours / value:.2f}x)" if value else "")
        for name, value in medians.items()
    ]
    print(f"| {title} | {ours:,.1f}{unit} | {' | '.join(others)} |", flush=True)


def rate_and_effort(server: Served, path: str, connections: int) -> tuple[float, float]:
    """Return the requests a second, and those in a second of the server's CPU time."""
    before = server.cpu_time()
    answered = rate(server.port, path, connections)
    used = server.cpu_time() - before
    return answered, answered * SECONDS / used if used else 0.0


def show_cost_of_uploads(rounds: int) -> None:
    """Print what uploads that trickle in cost: medians of pairs, with and without them, that are measured in turns."""
    costs: dict[str, list[list[float]]] = {name: [] for name in ON_UVICORN}
    with all_served(UVICORN, ON_UVICORN) as servers:
        for number in range(rounds):
            for name, server in zip(ON_UVICORN, servers, strict=True):
                rates, efforts = [0.0, 0.0], [0.0, 0.0]
                for uploads in (0, 1) if number % 2 else (1, 0):
                    with trickling(server.port) if uploads else contextlib.nullcontext():
                        rates[uploads], efforts[uploads] = rate_and_effort(server, "/hello", 32)
                with trickling(server.port):
                    before = server.cpu_time()
                    time.sleep(SECONDS)
                    share = (server.cpu_time() - before) / SECONDS
                costs[name].append([1 - rates[1] / rates[0], 1 - efforts[1] / efforts[0], share])
    titles = [
        f"what {UPLOADS} trickling uploads take of hello's rate",
        "… in a second of CPU time",
        "… of an idle server",
    ]
    for number, title in enumerate(titles):
        medians = [f"{name} {statistics.median(cost[number] for cost in found):.1%}" for name, found in costs.items()]
        print(f"| uvicorn, {title} | {' | '.join(medians)} |", flush=True)


def main(rounds: int) -> None:
    """Measure everything."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, 8192) if limit > 0 else 8192, limit))
    print(f"Medians of {rounds} rounds, Python {sys.version.split()[0]}; in brackets flaskctx as a multiple.\n")
    for title, (command, apps, path, connections) in CASES.items():
        rates: dict[str, list[float]] = {name: [] for name in apps}
        efforts: dict[str, list[float]] = {name: [] for name in apps}
        with all_served(command, apps) as servers:
            for _ in range(rounds):
                for name, server in zip(apps, servers, strict=True):
                    answered, effort = rate_and_effort(server, path, connections)
                    rates[name].append(answered)
                    efforts[name].append(effort)
        show(title, "/s", rates)
        show("… in a second of CPU time", "/s", efforts)
    show_cost_of_uploads(rounds)
    grown: dict[str, list[float]] = {name: [] for name in ON_UVICORN}
    for _ in range(max(1, rounds // 2)):
        # fresh processes: memory that was freed once would be taken again
        with all_served(UVICORN, ON_UVICORN) as servers:
            for name, server in zip(ON_UVICORN, servers, strict=True):
                grown[name].append(asyncio.run(memory_of_waiting(server)))
    show(f"uvicorn, memory of each of {WAITING:,} waiting requests", " KiB", grown)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
