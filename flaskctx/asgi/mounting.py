"""Foreign applications under a path: which one serves a request, and what it is told about where it stands.

A request below a mounted path never enters the lifecycle: no context is pushed, no hook is called. Middleware
around `app.wsgi_app` stays outermost under both protocols, so what it guards stays guarded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..scaffold import Scaffold
from .crossing import ASGIInWSGI, WSGIInASGI
from .environ import as_latin1, below
from .guest import Guest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ..app import Flask
    from .types import ASGIApplication, Receive, Scope, Send


class Mount:
    """An application under a path, in the form that each protocol wants."""

    __slots__ = ("_asgi", "_latin1_path", "_wsgi", "path")

    def __init__(self, path: str, wsgi: WSGIApplication, asgi: ASGIApplication) -> None:
        self.path = path
        self._latin1_path = as_latin1(path)
        self._wsgi = wsgi
        self._asgi = asgi

    def covers(self, path: str) -> bool:
        """Tell whether a path is this one or below it, at a segment's boundary."""
        return path.startswith(self.path) and path[len(self.path) : len(self.path) + 1] in ("", "/")

    def covers_latin1(self, path: str) -> bool:
        """The same for a path as PEP 3333 disguises it."""
        start = self._latin1_path
        return path.startswith(start) and path[len(start) : len(start) + 1] in ("", "/")

    def serve_wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a WSGI request: the path moves from PATH_INFO to SCRIPT_NAME (PEP 3333)."""
        script_name = environ.get("SCRIPT_NAME", "").rstrip("/") + self._latin1_path
        rest = environ["PATH_INFO"][len(self._latin1_path) :]
        return self._wsgi({**environ, "SCRIPT_NAME": script_name, "PATH_INFO": rest}, start_response)

    async def serve_asgi(self, host: Flask, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an HTTP request or a websocket: the path is added to `root_path` (ASGI specification)."""
        root_path = (scope.get("root_path") or "").rstrip("/")
        path = root_path + below(root_path, scope["path"])
        inner = {**scope, "root_path": root_path + self.path, "path": path}
        if path != scope["path"] and scope.get("raw_path") is not None:
            # a server that leaves root_path out of the path
            inner["raw_path"] = as_latin1(root_path).encode("latin-1") + scope["raw_path"]
        await self._asgi(inner, receive, send)


def mount_wsgi(app: Flask, path: str, wsgi_app: Any) -> None:
    """Put a WSGI application under a path; see `Flask.mount_wsgi`."""
    if _is_ours(wsgi_app):
        mount_asgi(app, path, wsgi_app)
    else:
        _add(app, wsgi_app, Mount(path, wsgi_app, WSGIInASGI(wsgi_app, app)))


def mount_asgi(app: Flask, path: str, asgi_app: Any) -> None:
    """Put an ASGI application under a path; see `Flask.mount_asgi`."""
    guest = Guest(asgi_app, path)
    # an application of our own has both forms
    _add(app, asgi_app, Mount(path, asgi_app if _is_ours(asgi_app) else ASGIInWSGI(guest, app), guest))
    app._serving_functions().around.append(guest.lifespan)


def _is_ours(app: Any) -> bool:
    return isinstance(app, Scaffold)


def _add(app: Flask, application: object, mount: Mount) -> None:
    path = mount.path
    if not callable(application):
        raise TypeError(f"What is mounted under {path!r} has to be a WSGI or ASGI application, not {application!r}.")
    if not path.startswith("/") or path.endswith("/"):
        raise ValueError(
            f'No application can be mounted under {path!r}: a path like "/admin" is needed, with a slash '
            'before it and none behind. (An application at "/" would leave nothing to this one.)'
        )
    if any(path == other.path for other in app._mounts):
        raise ValueError(f"An application is mounted under {path!r} already.")
    app._mounts.append(mount)
    app._mounts.sort(key=lambda each: len(each.path), reverse=True)


def mount_for_environ(mounts: list[Mount], environ: WSGIEnvironment) -> Mount | None:
    """Return the mount that a WSGI request belongs to: the one with the longest path."""
    path = environ.get("PATH_INFO", "")
    return next((mount for mount in mounts if mount.covers_latin1(path)), None)


def mount_for_scope(mounts: list[Mount], scope: Scope) -> Mount | None:
    """Return the mount that an ASGI request belongs to: the one with the longest path."""
    path = below((scope.get("root_path") or "").rstrip("/"), scope["path"])
    return next((mount for mount in mounts if mount.covers(path)), None)
