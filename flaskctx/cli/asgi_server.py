"""Uvicorn as the development server for ASGI: `run --asgi`."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from .script_info import ScriptInfo

if TYPE_CHECKING:
    from ..app import Flask
    from .certificates import Certificate


def serve(
    app: Flask,
    info: ScriptInfo,
    host: str,
    port: int,
    *,
    reload: bool,
    cert: Certificate | None,
    key: str | None,
) -> None:
    """Serve the application's ASGI adapter on uvicorn until it is stopped.

    :param reload: whether the server restarts when a Python file below the working directory changes.
    :raises click.UsageError: uvicorn is not installed, or can't do what is asked for.
    """
    uvicorn = _uvicorn()
    if cert is not None and key is None:
        raise click.UsageError("With --asgi, --cert is a file and needs --key; uvicorn takes nothing else.")
    options: dict[str, Any] = {"host": host, "port": port, "ssl_certfile": cert, "ssl_keyfile": key}
    if not reload:
        uvicorn.run(app.asgi, **options)
        return
    # uvicorn restarts by importing anew in a fresh process, which is told by a variable what to load
    if info.create_app is not None:
        raise click.UsageError(
            "--asgi can't reload an application that a script makes. Name the application with --app, or add"
            " --no-reload."
        )
    if info.app_import_path:
        os.environ["FLASK_APP"] = info.app_import_path
    uvicorn.run(f"{__name__}:{reloaded_application.__name__}", factory=True, reload=True, **options)


def reloaded_application() -> Any:
    """Load the application that FLASK_APP names, in a process that uvicorn has started after a change."""
    return ScriptInfo(os.environ.get("FLASK_APP")).load_app().asgi


def _uvicorn() -> Any:
    try:
        return import_module("uvicorn")
    except ModuleNotFoundError as error:
        if error.name != "uvicorn":
            raise
        raise click.UsageError(
            "--asgi needs uvicorn, which is not installed: pip install 'flaskctx[asgi]'. Without --asgi the"
            " application is served over WSGI."
        ) from None
