"""The command line: `flaskctx run`, `routes`, `shell`, `lifecycle`, and commands of extensions and applications."""

from __future__ import annotations

import click as click  # extensions import it from here

from ..command_group import AppGroup, with_appcontext
from ..development import show_server_banner
from ..environment import load_dotenv
from ..helpers import get_debug_flag, get_load_dotenv
from .app_loading import NoAppException, find_app_by_string, find_best_app, locate_app, prepare_import
from .certificates import CertParamType
from .certificates import join_key as _validate_key  # noqa: F401  extensions import it from here
from .group import FlaskGroup
from .lifecycle import lifecycle_command
from .options import get_version
from .routes import routes_command
from .run import SeparatedPathType, run_command
from .script_info import ScriptInfo, pass_script_info
from .shell import shell_command

__all__ = [
    "AppGroup",
    "CertParamType",
    "FlaskGroup",
    "NoAppException",
    "ScriptInfo",
    "SeparatedPathType",
    "cli",
    "find_app_by_string",
    "find_best_app",
    "get_debug_flag",
    "get_load_dotenv",
    "get_version",
    "lifecycle_command",
    "load_dotenv",
    "locate_app",
    "main",
    "pass_script_info",
    "prepare_import",
    "routes_command",
    "run_command",
    "shell_command",
    "show_server_banner",
    "with_appcontext",
]

cli = FlaskGroup(
    name="flaskctx",
    help=(
        "Work with a flaskctx application.\n\nThe application is named with '--app' or the environment"
        " variable FLASK_APP; without a name, a file 'wsgi.py' or 'app.py' in the working directory is used."
    ),
)


def main() -> None:
    """Run the command line."""
    cli.main()
