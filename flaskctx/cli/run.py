"""The command `run`: a development server, werkzeug's for WSGI or uvicorn for ASGI."""

from __future__ import annotations

import os
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from werkzeug.serving import is_running_from_reloader, run_simple

from ..development import exit_on_sigterm
from ..helpers import get_debug_flag
from . import certificates
from .options import debug_option
from .script_info import ScriptInfo, pass_script_info

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..app import Flask
    from ..typing import WSGIEnvironment
    from .certificates import Certificate

WSGI_ONLY = ("debugger", "with_threads")
"""Parameters of `run` that have no meaning for uvicorn."""


class SeparatedPathType(click.Path):
    """Several paths in one value, separated as in PATH."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        convert = super().convert
        return [convert(path, param, ctx) for path in value.split(os.pathsep)]


@click.command("run", short_help="Run a development server.")
@click.option("--host", "-h", default="127.0.0.1", show_default=True, help="The interface to listen on.")
@click.option("--port", "-p", default=5000, show_default=True, help="The port to listen on.")
@click.option("--asgi", is_flag=True, help="Serve over ASGI, on uvicorn, instead of WSGI.")
@click.option(
    "--cert",
    type=certificates.CertParamType(),
    is_eager=True,
    help="The certificate for HTTPS: a file, 'adhoc', or (WSGI) the import name of an SSLContext.",
)
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False),
    expose_value=False,
    callback=certificates.join_key,
    help="The private key of a certificate file.",
)
@click.option(
    "--reload/--no-reload",
    default=None,
    help="Restart when a source file changes. By default in debug mode.",
)
@click.option(
    "--debugger/--no-debugger",
    default=None,
    help="Show errors in an interactive debugger (WSGI). By default in debug mode.",
)
@click.option("--with-threads/--without-threads", default=True, help="Handle requests in threads (WSGI).")
@click.option(
    "--extra-files",
    type=SeparatedPathType(),
    help=f"More files whose changes cause a restart, separated by {os.pathsep!r}.",
)
@click.option(
    "--exclude-patterns",
    type=SeparatedPathType(),
    help=f"Patterns of files whose changes cause no restart, separated by {os.pathsep!r}.",
)
@pass_script_info
def run_command(
    info: ScriptInfo,
    host: str,
    port: int,
    asgi: bool,
    cert: Certificate | None,
    reload: bool | None,
    debugger: bool | None,
    with_threads: bool,
    extra_files: Iterable[str] | None,
    exclude_patterns: Iterable[str] | None,
) -> None:
    """Serve the application on this machine while you work on it.

    This is no server for production: gunicorn, uvicorn, hypercorn and their like are.
    """
    debug = get_debug_flag()
    reload = debug if reload is None else reload
    watched: dict[str, Any] = {"extra_files": extra_files, "exclude_patterns": exclude_patterns}
    if asgi:
        _refuse_wsgi_options(click.get_current_context())
        server = import_module("flaskctx.cli.asgi_server")
        _show_banner(debug, info, info.load_app(), "ASGI")
        server.serve(info, host, port, reload=reload, cert=cert, **watched)
        return
    app_or_error = _load_app(info)
    _show_banner(debug, info, app_or_error, "WSGI")
    exit_on_sigterm()
    run_simple(
        host,
        port,
        app_or_error,
        use_reloader=reload,
        use_debugger=debug if debugger is None else debugger,
        threaded=with_threads,
        ssl_context=cert,
        **watched,
    )


# one option for both places, in front of the command and behind it
run_command.params.insert(0, debug_option())


def _load_app(info: ScriptInfo) -> Flask | Callable[..., Any]:
    """Return the application; in the reloader's process one that shows the error if it can't be loaded.

    There, a mistake just saved must not end the reloader, which waits for it to be corrected.
    """
    try:
        return info.load_app()
    except Exception as error:
        if not is_running_from_reloader():
            raise
        traceback.print_exc()
        failure = error

    def show_failure(environ: WSGIEnvironment, start_response: Any) -> Any:
        raise failure

    return show_failure


def _show_banner(debug: bool, info: ScriptInfo, app: Any, protocol: str) -> None:
    # by its name in the package: to have it quiet, people replace it there
    show = import_module("flaskctx.cli").show_server_banner
    name = info.app_import_path or getattr(app, "name", None)
    show(debug, name and f"{name} over {protocol}")


def _refuse_wsgi_options(context: click.Context) -> None:
    given = [name for name in WSGI_ONLY if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given:
        options = ", ".join("--" + name.replace("_", "-") for name in given)
        raise click.UsageError(f"{options}: only werkzeug's WSGI server knows this. Leave it out with --asgi.")
