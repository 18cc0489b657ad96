"""The servers: how each is started, and what can be expected of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A way to serve the application.

    :param command: the arguments after `python -m`; `{port}` stands for the port to listen on.
    :param protocol: "wsgi" or "asgi".
    :param at_once: how many blocking `def` views it serves at the same time.
    """

    name: str
    command: str
    protocol: str
    at_once: int
    loop: str = "asyncio"

    @property
    def is_wsgi(self):
        return self.protocol == "wsgi"

    @property
    def is_gevent(self):
        return "gevent" in self.name

    def arguments(self, module, port):
        """Return the command line that serves the application of `module` on `port`."""
        return [sys.executable, "-m", *self.command.format(module=module, port=port).split()]


GUNICORN = "gunicorn --no-control-socket --bind 127.0.0.1:{{port}} --graceful-timeout 5 {} {{module}}:app"
UVICORN = "uvicorn --port {{port}} --no-access-log --timeout-graceful-shutdown 5 {} {{module}}:app.asgi"
HYPERCORN = "hypercorn --bind 127.0.0.1:{{port}} --graceful-timeout 5 {} {{module}}:app.asgi"
GRANIAN = "granian --host 127.0.0.1 --port {{port}} --workers-kill-timeout 5 {}"

KINDS = [
    Kind("gunicorn-sync", GUNICORN.format("--workers 2"), "wsgi", 2),
    Kind("gunicorn-sync-preload", GUNICORN.format("--workers 2 --preload"), "wsgi", 2),
    Kind("gunicorn-gthread", GUNICORN.format("-k gthread --threads 16"), "wsgi", 16),
    Kind("gunicorn-gevent", GUNICORN.format("-k gevent"), "wsgi", 100),
    Kind("gunicorn-gevent-preload", GUNICORN.format("-k gevent --preload"), "wsgi", 100),
    Kind("granian-wsgi", GRANIAN.format("--interface wsgi --blocking-threads 16 {module}:app"), "wsgi", 16),
    Kind("werkzeug", "{module}", "wsgi", 100),
    Kind("gunicorn-asgi", GUNICORN.format("-k asgi"), "asgi", 64),
    Kind("uvicorn-asyncio-h11", UVICORN.format("--loop asyncio --http h11"), "asgi", 64),
    Kind("uvicorn-uvloop-httptools", UVICORN.format("--loop uvloop --http httptools"), "asgi", 64),
    Kind("hypercorn-asyncio", HYPERCORN.format("-k asyncio"), "asgi", 64),
    Kind("hypercorn-trio", HYPERCORN.format("-k trio"), "asgi", 64, "trio"),
    Kind("granian-asgi", GRANIAN.format("--interface asgi {module}:app.asgi"), "asgi", 64),
]

by_name = {kind.name: kind for kind in KINDS}
WSGI = [kind for kind in KINDS if kind.is_wsgi]
ASGI = [kind for kind in KINDS if not kind.is_wsgi]
GEVENT = [kind for kind in KINDS if kind.is_gevent]
ON_ASYNCIO = [kind for kind in KINDS if kind.loop == "asyncio"]
