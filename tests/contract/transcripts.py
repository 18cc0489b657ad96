"""Runs a scenario and writes down everything that could be seen from outside: events, responses, errors."""

from __future__ import annotations

import contextvars
import json
import os
import pathlib
import re
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from unittest import mock

import anyio
from itsdangerous import base64_decode

from .recording import Boom, Log, describe

REASON = "  reason: "
"""Begins the line with a status' reason phrase, which only WSGI carries."""

FILES = pathlib.Path(__file__).parent / "scenarios" / "files"


class World(NamedTuple):
    """How a scenario is run: its client, the kind of its functions, and whether anybody receives signals."""

    client: str
    is_async: bool
    watches: bool

    def __str__(self):
        return "-".join([self.client, "async" if self.is_async else "def", "watched" if self.watches else "unwatched"])


def transcript(scenario, framework, world):
    """Run a scenario with the module `flask` or the module `flaskctx`; return its transcript, a list of lines."""
    with mock.patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("FLASK_")]:
            del os.environ[name]
        return contextvars.copy_context().run(_transcript, scenario, framework, world)


def _transcript(scenario, framework, world):
    log = Log(framework, world.is_async, world.watches)
    app = framework.Flask("app", root_path=str(FILES))
    app.secret_key = "contract"
    with log.listening(app):
        try:
            app = scenario.build(framework, app, log) or app
        except Boom as error:
            log("raised", error)
            return log.lines
        if scenario.requests:
            _drive(scenario, app, log, world)
    if left := log.contexts():
        log.lines.append(f"left: {left}")
    lines = log.lines.copy()
    _pop_what_is_preserved(framework)
    return lines


def _pop_what_is_preserved(framework):
    """End a context that the classic design keeps for the debugger; the next request would."""
    stack = getattr(framework, "_request_ctx_stack", None)
    while stack is not None and stack.top is not None and stack.top.preserved:
        stack.top.pop()


def _drive(scenario, app, log, world):
    if world.client == "wsgi":
        client = app.test_client()
        for request, options in scenario.requests:
            with _Exchange(log, request) as exchange:
                exchange.note(client.open(exchange.path, method=exchange.method, **options))
        return

    async def drive():
        client = app.async_test_client()
        for request, options in scenario.requests:
            with _Exchange(log, request) as exchange:
                exchange.note(await client.open(exchange.path, method=exchange.method, **options))

    anyio.run(drive, backend=world.client.removeprefix("asgi-"))


class _Exchange:
    """One request and its response, or the error that the client gets to see."""

    def __init__(self, log, request):
        self._log = log
        self.method, self.path = request.split(" ", 1)
        log.lines.append(f"> {request}")

    def note(self, response):
        """Read and close the response, and note it."""
        body = response.get_data()
        response.close()
        lines = [f"< {response.status_code}", f"{REASON}{response.status[4:]}"]
        lines += [*sorted(map(_header_line, response.headers)), body_line(body)]
        lines += [f"  after {redirect.status_code} {redirect.location}" for redirect in response.history]
        self._log.lines += lines

    def __enter__(self):
        return self

    def __exit__(self, exc_type, error, traceback):
        if isinstance(error, Exception):
            self._log.lines.append(f"< raises {describe(error)}")
            return True
        return None


# What can't be there everywhere


def adapted(lines, world):
    """Return a transcript, or differences of one, as it is in a world that receives no signals or has no reasons."""
    if not world.watches:
        lines = [_without_depth(line) for line in lines if not _SIGNAL.match(line)]
    if world.client != "wsgi":
        lines = [line for line in lines if REASON not in line]
    return [line for line in lines if line not in ("left: ", "+ left: ", "- left: ")]


_SIGNAL = re.compile(r"([+-] )?(signal )")


def _without_depth(line):
    # without signals nobody tells how many application contexts there are
    return re.sub(r"(<|left: )\d+ ?(?=[^<>]*>?$)", r"\1", line)


# What differs from run to run is made comparable


def _header_line(header):
    name, value = header[0].title(), header[1]
    if name == "Set-Cookie":
        value = re.sub(r"(?<=Expires=)[^;]+", _hours_from_now, value)
        value = re.sub(r"^(\w+)=(\.?[\w-]+)\.[\w-]{6}\.[\w-]{27}(?=;|$)", _unsealed, value)
    elif name in ("Date", "Expires"):
        value = re.sub(".+", _hours_from_now, value)
    elif name in ("Allow", "Vary"):
        value = ", ".join(sorted(value.split(", ")))
    return f"  {name}: {value}"


def _hours_from_now(match):
    left = parsedate_to_datetime(match[0]) - datetime.now(UTC)
    return f"{max(round(left.total_seconds() / 3600), -1)} hours from now"


def _unsealed(match):
    name, data = match[1], match[2]
    text = zlib.decompress(base64_decode(data[1:])) if data.startswith(".") else base64_decode(data)
    return f"{name}={json.dumps(json.loads(text), sort_keys=True)}"


def body_line(body):
    """Return the line that shows a body: as it is, or its checksum."""
    return f"  {body!r}" if len(body) < 500 else f"  {len(body)} bytes, checksum {zlib.crc32(body)}"
