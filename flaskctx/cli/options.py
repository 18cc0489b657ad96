"""The options of the command line itself: --app, --env-file, --debug, --version."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click
from click.core import ParameterSource

from .. import environment
from ..helpers import get_load_dotenv
from .script_info import ScriptInfo


def app_option() -> click.Option:
    """Make the option that names the application."""
    return click.Option(
        ["-A", "--app"],
        metavar="IMPORT",
        help=(
            "The application: 'module', 'module:name' or 'module:factory(arguments)'; the module may also be"
            " given as a file. Without a name, 'app', 'application', 'create_app' and 'make_app' are tried."
        ),
        is_eager=True,
        expose_value=False,
        callback=_set_app,
    )


def _set_app(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        ctx.ensure_object(ScriptInfo).app_import_path = value
    return value


def env_file_option() -> click.Option:
    """Make the option that names a file of environment variables."""
    return click.Option(
        ["-e", "--env-file"],
        type=click.Path(exists=True, dir_okay=False),
        help=(
            "A file with environment variables. It comes before '.env' and '.flaskenv', which are read"
            " anyway; variables that are set already stay. Needs python-dotenv."
        ),
        is_eager=True,
        expose_value=False,
        callback=_load_environment,
    )


def _load_environment(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not environment.is_supported():
        raise click.BadParameter(
            "python-dotenv is not installed, so the file can't be read: pip install python-dotenv.",
            ctx=ctx,
            param=param,
        )
    info = ctx.ensure_object(ScriptInfo)
    environment.load_dotenv(value, load_defaults=get_load_dotenv(info.load_dotenv_defaults))
    return value


def debug_option() -> click.Option:
    """Make the option that switches debug mode."""
    return click.Option(
        ["--debug/--no-debug"],
        help="Switch debug mode.",
        expose_value=False,
        is_eager=True,
        callback=_set_debug,
    )


def _set_debug(ctx: click.Context, param: click.Parameter, value: bool) -> bool | None:
    # param.name is always there for an option made from "--debug"
    source = ctx.get_parameter_source(param.name or "")
    if source in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP):
        return None
    # a variable, so that processes started from here (the reloader's) have it too
    os.environ["FLASK_DEBUG"] = "1" if value else "0"
    return value


def version_option() -> click.Option:
    """Make the option that prints the versions of flaskctx and what it stands on."""
    return click.Option(
        ["--version"],
        help="Show the versions of Python, flaskctx and Werkzeug.",
        allow_from_autoenv=False,  # FLASK_VERSION says something else where it is set
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=get_version,
    )


def get_version(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Print the versions and leave, if the option was given."""
    if not value or ctx.resilient_parsing:
        return
    click.echo(f"Python {platform.python_version()}")
    for package in ("flaskctx", "Werkzeug"):
        click.echo(f"{package} {_version(package)}")
    if stands_in_for_flask():
        click.echo(f"Flask {_version('flask')}, for which flaskctx stands in")
    ctx.exit()


def stands_in_for_flask() -> bool:
    """Tell whether `import flask` gives flaskctx in this process."""
    return any(getattr(finder, "stands_in_for", None) == "flask" for finder in sys.meta_path)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed, imported from its source)"
