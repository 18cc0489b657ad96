"""`app.run()`: serving for development on werkzeug's server, and what that says when it starts."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any

from werkzeug import serving

from .environment import load_dotenv as load_dotenv_files
from .helpers import get_debug_flag, get_load_dotenv

if TYPE_CHECKING:
    from .app import Flask


def run(
    app: Flask, host: str | None, port: int | None, debug: bool | None, load_dotenv: bool, options: dict[str, Any]
) -> None:
    """Serve until interrupted; see `Flask.run`."""
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
        # `flaskctx run` imports the module and serves the application itself
        if not serving.is_running_from_reloader():
            print(
                " * app.run() is ignored: a command has imported this module. Put it under if __name__ == '__main__'.",
                file=sys.stderr,
            )
        return
    _warn_if_imported()
    if get_load_dotenv(load_dotenv):
        load_dotenv_files()
        if "FLASK_DEBUG" in os.environ:
            app.debug = get_debug_flag()
    if debug is not None:
        app.debug = bool(debug)
    server_host, _, server_port = (app.config["SERVER_NAME"] or "").partition(":")
    host = host or str(server_host) or "127.0.0.1"
    port = int(next((p for p in (port, server_port) if p not in (None, "")), 5000))
    options.setdefault("use_reloader", app.debug)
    options.setdefault("use_debugger", app.debug)
    options.setdefault("threaded", True)
    # by its name in flask.cli, if that is there: to have it quiet, people replace it in that place
    show = getattr(sys.modules.get("flaskctx.cli"), "show_server_banner", show_server_banner)
    show(app.debug, f"{app.name} over WSGI")
    exit_on_sigterm()
    try:
        serving.run_simple(host, port, app, **options)
    finally:
        # a second run in the same process, as in an interactive shell, may register views before it
        app._got_first_request = False


def _warn_if_imported() -> None:
    """Say so where a module that another server imports starts this one, which that server then waits for."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    module = "__main__" if frame is None else frame.f_globals.get("__name__", "__main__")
    if module != "__main__":
        print(
            f" * app.run() is called while {module!r} is being imported, and serves from there. If another server is to"
            " serve the application, put the call under if __name__ == '__main__'.",
            file=sys.stderr,
        )


def show_server_banner(debug: bool, app_import_path: str | None) -> None:
    """Say which application is served, and whether debug mode is on; once, not at each reload.

    :param app_import_path: what the application is called by; None: it is not known.
    """
    if serving.is_running_from_reloader():
        return
    if app_import_path is not None:
        print(f" * Serving {app_import_path}", flush=True)
    print(f" * Debug mode: {'on' if debug else 'off'}", flush=True)


def exit_on_sigterm() -> None:
    """Make SIGTERM a normal exit, in which tasks on the background loop are drained."""

    def leave(number: int, frame: FrameType | None) -> None:
        # a second one, as `timeout` and process managers send it, would break off the draining
        signal.signal(number, signal.SIG_IGN)
        sys.exit(0)

    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, leave)
