"""Uvicorn as the development server for ASGI: `run --asgi`. It is imported when it is asked for."""

from __future__ import annotations

import os
import sys
import traceback
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
from werkzeug.serving import make_ssl_devcert

from ..app import Flask
from ..development import exit_on_sigterm
from ..wrappers import Response
from .script_info import ScriptInfo

try:
    import uvicorn
except ImportError as error:
    if error.name != "uvicorn":
        raise
    raise click.UsageError(
        "--asgi needs uvicorn, which is not installed: pip install 'flaskctx[asgi]'. Without --asgi the application"
        " is served over WSGI."
    ) from None

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .certificates import Certificate


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
        options.update(_watched(extra_files, exclude_patterns))
        uvicorn.run(f"{__name__}:{reloaded_application.__name__}", factory=True, reload=True, **options)


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


def _watched(extra_files: Iterable[str] | None, exclude_patterns: Iterable[str] | None) -> dict[str, list[str]]:
    """Return what uvicorn is to watch: it takes folders, and patterns of file names in them."""
    files = [os.path.abspath(path) for path in extra_files or ()]
    patterns = [os.path.relpath(path) if os.path.isabs(path) else path for path in exclude_patterns or ()]
    if not (files or patterns):
        return {}
    if find_spec("watchfiles") is None:
        raise click.UsageError(
            "--extra-files and --exclude-patterns need the package watchfiles with --asgi: pip install watchfiles."
        )
    return {
        "reload_dirs": [os.getcwd(), *(path if os.path.isdir(path) else os.path.dirname(path) for path in files)],
        "reload_includes": [os.path.basename(path) for path in files if not os.path.isdir(path)],
        "reload_excludes": patterns,
    }
