"""flaskctx beside Flask, Quart and Starlette, in one process: microseconds a request, and how many times faster.

    python benchmarks/in_process.py [ROUNDS]

The WSGI and ASGI callables are called directly, without sockets. In each round all libraries take their turn at
each case, so that whatever else slows the machine down slows all of them; the tables show the medians of the
rounds. CPU time counts, except where a request goes to another thread and back: there the time on the clock.
Only the ratios carry over to another machine.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import _apps
import flask
import quart
from werkzeug.test import create_environ

import flaskctx

BATCH = 0.02
"""Seconds that one measurement takes, about."""

Run = Callable[[int], None]
"""Makes so many requests."""

HEADERS = {
    "Host": "localhost",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
}
PATHS = {"path parameters": "/user/7/peter", "200 routes": "/route150/name", "2000 routes": "/route1500/name"}

WSGI = {
    # title: (case, async def, on another thread)
    "hello": ("hello", False, False),
    "JSON": ("JSON", False, False),
    "path parameters": ("path parameters", False, False),
    "session read and written": ("session", False, False),
    "7 hooks": ("7 hooks", False, False),
    "200 routes": ("200 routes", False, False),
    "2,000 routes": ("2000 routes", False, False),
    "`async def` hello": ("hello", True, True),
}
ASGI = {
    "`async def` hello": ("hello", True, False),
    "`def` hello": ("hello", False, True),
    "JSON": ("JSON", True, False),
    "path parameters": ("path parameters", True, False),
    "session read and written": ("session", True, False),
    "7 hooks": ("7 hooks", True, False),
    "200 routes": ("200 routes", True, False),
    "2,000 routes": ("2000 routes", True, False),
}

loop = asyncio.new_event_loop()


def wsgi_run(app: Any, path: str) -> Run:
    """Return what makes WSGI requests to an application."""
    environ = create_environ(path, headers=HEADERS)
    environ["REMOTE_ADDR"] = "127.0.0.1"
    answer: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        answer[:] = [status, dict(headers)]

    def run(requests: int) -> None:
        for _ in range(requests):
            body = app.wsgi_app(environ.copy(), start_response)
            b"".join(body)
            if hasattr(body, "close"):
                body.close()

    run(1)
    assert answer[0] == "200 OK", answer
    if "Set-Cookie" in answer[1]:
        environ["HTTP_COOKIE"] = answer[1]["Set-Cookie"].partition(";")[0]
    return run


def asgi_run(app: Any, path: str) -> Run:
    """Return what makes ASGI requests to an application."""
    app = getattr(app, "asgi", app)
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": headers, "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    messages: list[Any] = []

    async def send(message: Any) -> None:
        pass

    async def keep(message: Any) -> None:
        messages.append(message)

    async def serve(requests: int, send: Any) -> None:
        for _ in range(requests):
            unread = [{"type": "http.request", "body": b"", "more_body": False}]

            async def receive(unread: list[Any] = unread) -> Any:
                if unread:
                    return unread.pop()
                await asyncio.sleep(3600)

            await app(scope.copy(), receive, send)

    def run(requests: int, send: Any = send) -> None:
        # in a context of its own: what another library has left in this one would have to be looked at
        contextvars.Context().run(loop.run_until_complete, serve(requests, send))

    run(1, keep)
    assert messages[0]["status"] == 200, messages
    cookies = [value for name, value in messages[0]["headers"] if name.lower() == b"set-cookie"]
    if cookies:
        headers.append((b"cookie", cookies[0].partition(b";")[0]))
    return run


def measure(runs: list[Run | None], clock: Callable[[], float], rounds: int) -> list[float | None]:
    """Return the median time of a request, in microseconds, for each of the runs."""
    sizes = [0 if run is None else batch_size(run) for run in runs]
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, size, samples in zip(runs, sizes, times, strict=True):
            if run is not None:
                gc.collect()
                start = clock()
                run(size)
                samples.append((clock() - start) / size * 1e6)
    return [statistics.median(samples) if samples else None for samples in times]


def batch_size(run: Run) -> int:
    """Return how many requests take about `BATCH` seconds, having warmed up."""
    run(50)
    start = time.perf_counter()
    run(50)
    return max(20, int(50 * BATCH / (time.perf_counter() - start)))


def show(libraries: list[str], rows: dict[str, list[float | None]], threaded: set[str]) -> None:
    """Print a table: the times, and the others' as multiples of the first one's."""
    print(f"| µs a request | {' | '.join(libraries)} |\n|---|{'---:|' * len(libraries)}")
    for title, (ours, *others) in rows.items():
        assert ours is not None
        cells = [f"{ours:.1f}", *("" if other is None else f"{other:.1f} ({other / ours:.1f}x)" for other in others)]
        print(f"| {title}{' (on the clock)' if title in threaded else ''} | {' | '.join(cells)} |")
    print()


def table(libraries: list[str], cases: dict[str, tuple[str, bool, bool]], run_of: Any, rounds: int) -> None:
    """Measure cases and print them."""
    rows = {}
    for title, (case, asynchronous, threaded) in cases.items():
        apps = [app_of(library, case, asynchronous) for library in libraries]
        runs = [None if app is None else run_of(app, PATHS.get(case, "/")) for app in apps]
        rows[title] = measure(runs, time.perf_counter if threaded else time.process_time, rounds)
    show(libraries, rows, {title for title, (_, _, threaded) in cases.items() if threaded})


def app_of(library: str, case: str, asynchronous: bool) -> Any:
    """Return an application of a library, by its name."""
    if library == "Starlette":
        return _apps.starlette(case, asynchronous)
    return _apps.flask_like({"flaskctx": flaskctx, "Flask": flask, "Quart": quart}[library], case, asynchronous)


def main(rounds: int) -> None:
    """Measure everything, on one core: whether two threads share a core would change their times twofold."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(f"Medians of {rounds} rounds, Python {sys.version.split()[0]}.\n\nWSGI\n")
    table(["flaskctx", "Flask"], WSGI, wsgi_run, rounds)
    print("ASGI\n")
    table(["flaskctx", "Quart", "Starlette"], ASGI, asgi_run, rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
