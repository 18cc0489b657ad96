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
    :param loop: the kind of event loop that `async def` views run on.
    :param patience: seconds that it gives requests under way when it ends.
    """

    name: str
    command: str
    protocol: str
    at_once: int
    loop: str = "asyncio"
    patience: int = 5

    @property
    def is_wsgi(self):
        return self.protocol == "wsgi"

    def arguments(self, module, port):
        """Return the command line that serves the application of `module` on `port`."""
        command = self.command.format(module=module, port=port, patience=self.patience)
        return [sys.executable, "-m", *command.split()]


# a folder's worth of servers doesn't need gunicorn's control socket, which is one for all of them
GUNICORN = "gunicorn {module}:app --no-control-socket --bind 127.0.0.1:{port} --graceful-timeout {patience} "
UVICORN = "uvicorn {module}:app.asgi --port {port} --no-access-log --timeout-graceful-shutdown {patience} "
HYPERCORN = "hypercorn {module}:app.asgi --bind 127.0.0.1:{port} --graceful-timeout {patience} "
GRANIAN = "granian --host 127.0.0.1 --port {port} --workers-kill-timeout {patience} "

KINDS = [
    Kind("gunicorn-sync", GUNICORN + "--workers 2", "wsgi", 2),
    Kind("gunicorn-sync-preload", GUNICORN + "--workers 2 --preload", "wsgi", 2),
    Kind("gunicorn-gthread", GUNICORN + "-k gthread --threads 16", "wsgi", 16),
    Kind("gunicorn-gevent", GUNICORN + "-k gevent", "wsgi", 100),
    Kind("gunicorn-gevent-preload", GUNICORN + "-k gevent --preload", "wsgi", 100),
    Kind("granian-wsgi", GRANIAN + "--interface wsgi --blocking-threads 16 {module}:app", "wsgi", 16),
    Kind("werkzeug", "{module}", "wsgi", 100),
    Kind("gunicorn-asgi", GUNICORN + "-k asgi", "asgi", 64),
    Kind("uvicorn-asyncio-h11", UVICORN + "--loop asyncio --http h11", "asgi", 64),
    Kind("uvicorn-uvloop-httptools", UVICORN + "--loop uvloop --http httptools", "asgi", 64),
    Kind("hypercorn-asyncio", HYPERCORN + "-k asyncio", "asgi", 64),
    Kind("hypercorn-trio", HYPERCORN + "-k trio", "asgi", 64, "trio"),
    Kind("granian-asgi", GRANIAN + "--interface asgi {module}:app.asgi", "asgi", 64),
]

by_name = {kind.name: kind for kind in KINDS}
WSGI = [kind for kind in KINDS if kind.is_wsgi]
ASGI = [kind for kind in KINDS if not kind.is_wsgi]
GEVENT = [by_name["gunicorn-gevent"], by_name["gunicorn-gevent-preload"]]
ON_ASYNCIO = [kind for kind in KINDS if kind.loop == "asyncio"]
