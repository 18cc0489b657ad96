"""Uvicorn as the development server for ASGI: `run --asgi`. It is imported when it is asked for."""

from __future__ import annotations

import os
import sys
import traceback
from tempfile import TemporaryDirectory
from threading import Timer
from typing import TYPE_CHECKING, Any

import click
from werkzeug.serving import make_ssl_devcert

from ..app import Flask
from ..development import exit_on_sigterm
from ..wrappers import Response
from .script_info import ScriptInfo
from .watched_files import WatchedFiles

try:
    import uvicorn
    from uvicorn.supervisors.basereload import BaseReload
except ImportError as error:
    if error.name != "uvicorn":
        raise
    raise click.UsageError(
        "--asgi needs uvicorn, which is not installed: pip install 'flaskctx[asgi]'. Without --asgi the application"
        " is served over WSGI."
    ) from None

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .certificates import Certificate

END_WAIT = 2
"""Seconds that requests have to end when a change was noticed; twice that, and their process is killed."""


def serve(
    info: ScriptInfo,
    host: str,
    port: int,
    *,
    reload: bool,
    cert: Certificate | None = None,
    extra_files: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
) -> None:
    """Serve the application's ASGI adapter on uvicorn until it is stopped.

    :param reload: whether the server restarts when a Python file below the working directory changes.
    :param extra_files: more files and folders to watch.
    :param exclude_patterns: files that are not watched.
    :raises click.UsageError: uvicorn can't do what is asked for.
    """
    app = info.load_app()
    exit_on_sigterm()
    with TemporaryDirectory(prefix="flaskctx-") as folder:
        options: dict[str, Any] = {"host": host, "port": port, **_certificate(cert, folder)}
        if not reload:
            uvicorn.run(app.asgi, **options)
            return
        # uvicorn loads the application anew in a fresh process, which is told by a variable what to load
        os.environ["FLASK_APP"] = _import_path(info)
        application = f"{__name__}:{reloaded_application.__name__}"
        config = uvicorn.Config(application, factory=True, reload=True, timeout_graceful_shutdown=END_WAIT, **options)
        Reloader(config, WatchedFiles(extra_files or (), exclude_patterns or ())).run()


class Reloader(BaseReload):
    """Uvicorn's reloader, with watched files that were looked at before the process that loads them starts.

    Uvicorn's own ways of watching look first a moment after it: what a fast process has loaded by then and is
    changed at once, they never notice.
    """

    def __init__(self, config: uvicorn.Config, files: WatchedFiles) -> None:
        super().__init__(config, uvicorn.Server(config).run, [config.bind_socket()])
        self.reloader_name = "flaskctx"
        self._files = files

    def should_restart(self) -> list[Path] | None:
        self.pause()
        return self._files.changed()

    def restart(self) -> None:
        # a thread that doesn't end would keep serving what was changed
        killer = Timer(2 * END_WAIT, self.process.kill)
        killer.start()
        super().restart()
        killer.cancel()


def reloaded_application() -> Any:
    """Load the application that FLASK_APP names, in a process that uvicorn has started.

    If that fails, return one that shows why: requests would wait until the mistake is corrected.
    """
    try:
        return ScriptInfo(os.environ["FLASK_APP"]).load_app().asgi
    except Exception:
        shown = traceback.format_exc()
    click.echo(shown, err=True)
    substitute = Flask("flaskctx", static_folder=None)
    substitute.before_request(lambda: Response(shown, 500, mimetype="text/plain"))
    return substitute.asgi


def _certificate(cert: Certificate | None, folder: str) -> dict[str, str]:
    if cert is None:
        return {}
    if cert == "adhoc":
        cert = make_ssl_devcert(os.path.join(folder, "adhoc"), host="localhost")
    if not isinstance(cert, tuple):
        raise click.UsageError("With --asgi, --cert is a file or 'adhoc'; uvicorn can't be given an SSLContext.")
    return {"ssl_certfile": cert[0], "ssl_keyfile": cert[1]}


def _import_path(info: ScriptInfo) -> str:
    """Return what another process loads the application by."""
    if info.create_app is None:
        return info.app_import_path or ""
    factory = info.create_app
    module, name = getattr(factory, "__module__", ""), getattr(factory, "__qualname__", "")
    if getattr(sys.modules.get(module), name, None) is not factory:
        raise click.UsageError(
            "--asgi can't reload this application: the function that makes it is not one of a module. Move it to the"
            " top level of a module, name the application with --app, or add --no-reload."
        )
    return f"{module}:{name}"
