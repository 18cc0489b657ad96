"""A server process on a free port of 127.0.0.1, and a client for it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from ..ports import free_port

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent

START_WAIT = 20
"""Seconds that a server may take until it answers."""

STOP_WAIT = 12
"""Seconds that a server may take to end after SIGTERM."""

COMPLAINTS = (
    "Warning:",
    "Task was destroyed",
    "was never awaited",
    "never retrieved",
    "Exception ignored",
    "Traceback",
    "ERROR",
)
"""What must not stand in the output of a server that was used properly."""


@dataclass
class Answer:
    """A response as it arrived."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class RunningServer:
    """A server that serves `module`'s application until it is stopped.

    :param folder: an empty folder for its output and its journal.
    :param ready: the path that is asked for to see whether it answers.
    :param home: the folder in which it starts: `module` is found there.
    """

    def __init__(self, kind, module, folder, ready="/ready", home=FOLDER):
        self.kind = kind
        self._ready = ready
        self.port = free_port()
        self._journal = folder / "journal"
        self._journal.touch()
        self._output = folder / "output"
        environment = os.environ | {
            "JOURNAL": str(self._journal),
            "PORT": str(self.port),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(FOLDER)]),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "default",
        }
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                kind.arguments(module, self.port),
                cwd=home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self):
        """Wait until it answers; raises AssertionError with its output if it doesn't in time."""
        deadline = time.monotonic() + START_WAIT
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the server ended at its start:\n{self.output}"
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.get(self._ready).status == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the server does not answer:\n{self.output}")

    # -- its end ---------------------------------------------------------------------------------------------

    def terminate(self):
        """Ask it to end, as a service manager does."""
        self.process.terminate()

    def wait_for_end(self):
        """Wait until it has ended; return the seconds that this took. Raises if it takes too long."""
        begin = time.monotonic()
        try:
            self.process.wait(STOP_WAIT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server did not end within {STOP_WAIT} s:\n{self.output}") from None
        return time.monotonic() - begin

    def kill(self):
        """End all that is left of it, without a chance to do anything."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    # -- what it tells -----------------------------------------------------------------------------------------

    @property
    def output(self):
        """All that it has printed so far."""
        return self._output.read_text(errors="replace")

    def complaints(self):
        """Return the lines of its output that tell of something left undone."""
        lines = [line for line in self.output.splitlines() if any(word in line for word in COMPLAINTS)]
        return [line for line in lines if not self._is_its_own_affair(line)]

    def _is_its_own_affair(self, line):
        # gunicorn's workers leave it to the operating system to close the socket they listen on
        listener = f"laddr=('127.0.0.1', {self.port})>" in line
        return listener or line.startswith("ResourceWarning: Enable tracemalloc")

    def journal(self, key):
        """Return the events that the application has noted for `key` so far."""
        lines = [line.partition(" ") for line in self._journal.read_text().splitlines()]
        return [event for event, _, noted in lines if noted == key]

    def wait_for_journal(self, key, *events, seconds=3):
        """Wait until these events, at least, are noted for `key`; return all of them, sorted."""
        deadline = time.monotonic() + seconds
        while not set(events) <= set(self.journal(key)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return sorted(self.journal(key))

    # -- requests ----------------------------------------------------------------------------------------------

    def request(self, method, path, body=None, headers=None, **query):
        """Send a request on a connection of its own and return the whole answer."""
        connection = self.connection()
        try:
            chunked = "Transfer-Encoding" in (headers or {})
            connection.request(method, with_query(path, query), body, headers or {}, encode_chunked=chunked)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, headers=None, **query):
        return self.request("GET", path, None, headers, **query)

    def post(self, path, body, headers=None, **query):
        return self.request("POST", path, body, headers, **query)

    def connection(self):
        """Return a connection for several requests, or for answers that are read bit by bit."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def socket(self, data=b""):
        """Return a connected socket, after sending `data` on it."""
        connected = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connected.sendall(data)
        return connected


def with_query(path, query):
    return f"{path}?{urlencode(query)}" if query else path


def at_once(function, arguments):
    """Call `function` for each of the arguments, all at once on threads; return the results in order."""
    arguments = list(arguments)
    with ThreadPoolExecutor(len(arguments)) as threads:
        return list(threads.map(function, arguments))


def seconds_of(function, *args):
    """Return how long a call takes."""
    begin = time.monotonic()
    function(*args)
    return time.monotonic() - begin


def in_time(measure, limit=1, attempts=3):
    """Assert that the seconds that `measure()` returns are below the limit, in one of a few attempts.

    A busy machine may spoil one. What takes longer by itself takes that each time.
    """
    seconds = []
    while not seconds or (seconds[-1] >= limit and len(seconds) < attempts):
        seconds.append(measure())
    assert seconds[-1] < limit, seconds


def leave(connected):
    """Close a connection as usual."""
    connected.close()


def reset(connected):
    """Close a connection by a reset: that is what a close with no time to linger is (RFC 9293, section 3.5)."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connected.close()


def read_to_end(connected):
    """Return all bytes that still arrive on a socket."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connected.recv(65536):
            data += chunk
    return data
