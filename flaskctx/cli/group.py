"""FlaskGroup: the command line, with the framework's commands, those of extensions and those of the app."""

from __future__ import annotations

import os
import traceback
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import NoArgsIsHelpError

from ..command_group import AppGroup
from ..globals import _app_ctx_stack
from .app_loading import NoAppException
from .lifecycle import lifecycle_command
from .options import app_option, debug_option, env_file_option, stands_in_for_flask, version_option
from .routes import routes_command
from .run import run_command
from .script_info import ScriptInfo
from .shell import shell_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..app import Flask

COMMANDS = (run_command, routes_command, shell_command, lifecycle_command)


class FlaskGroup(AppGroup):
    """A command group that loads an application and adds the commands of its `cli` group.

    Installed packages add commands, too, through entry points of the group `flaskctx.commands`, and of
    `flask.commands` where flaskctx stands in for Flask.

    :param add_default_commands: whether `run`, `routes`, `shell` and `lifecycle` are there.
    :param create_app: makes the application, whatever `--app` says.
    :param add_version_option: whether `--version` is there.
    :param load_dotenv: whether .env and .flaskenv files are read.
    :param set_debug_flag: whether the application's `debug` follows `FLASK_DEBUG` and `--debug`.
    :param extra: what `click.Group` takes.
    """

    def __init__(
        self,
        add_default_commands: bool = True,
        create_app: Callable[..., Flask] | None = None,
        add_version_option: bool = True,
        load_dotenv: bool = True,
        set_debug_flag: bool = True,
        **extra: Any,
    ) -> None:
        params: Iterable[click.Parameter] = extra.pop("params", None) or ()
        options = [env_file_option(), app_option(), debug_option()]
        if add_version_option:
            options.append(version_option())
        # FLASK_RUN_PORT, FLASK_APP, ...: each option can be given as an environment variable
        settings = {"auto_envvar_prefix": "FLASK", **(extra.pop("context_settings", None) or {})}
        super().__init__(params=[*params, *options], context_settings=settings, **extra)
        self.create_app = create_app
        self.load_dotenv = load_dotenv
        self.set_debug_flag = set_debug_flag
        if add_default_commands:
            for command in COMMANDS:
                self.add_command(command)
        self._plugins_loaded: set[str] = set()

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        # app.run() at the bottom of the application's module does nothing then
        os.environ["FLASK_RUN_FROM_CLI"] = "true"
        extra.setdefault("obj", self.context_settings.get("obj") or self._script_info())
        return super().make_context(info_name, args, parent=parent, **extra)

    def _script_info(self) -> ScriptInfo:
        return ScriptInfo(None, self.create_app, self.set_debug_flag, load_dotenv_defaults=self.load_dotenv)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            # the help lists the application's commands, so --app and the .env files come first
            option.is_eager = False
        return option

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            for option in self.get_params(ctx):
                if option.is_eager:
                    option.handle_parse_result(ctx, {}, [])
            error = NoArgsIsHelpError(ctx)
            # listing the commands has pushed the application's context
            ctx.close()
            raise error
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            option = error.option_name
            if not any(option in parameter.opts for parameter in self.get_params(ctx)):
                raise
            raise click.UsageError(
                f"{option} stands in front of the command, as in '{ctx.command_path} {option} ..."
                f" {ctx.invoked_subcommand}'.",
                error.ctx,
            ) from None

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._load_plugins()
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            return command
        try:
            app = ctx.ensure_object(ScriptInfo).load_app()
        except NoAppException as error:
            _print_error(error)
            return None
        self._load_plugins()
        _push_app_context(ctx, app)
        found: click.Command | None = app.cli.get_command(ctx, cmd_name) or super().get_command(ctx, cmd_name)
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        names: set[str] = set()
        try:
            names.update(ctx.ensure_object(ScriptInfo).load_app().cli.list_commands(ctx))
        except NoAppException as error:
            _print_error(error)
        except Exception:
            # an application that fails still leaves a help page
            click.secho(traceback.format_exc(), err=True, fg="red")
        self._load_plugins()
        return sorted(names.union(super().list_commands(ctx)))

    def _load_plugins(self) -> None:
        for group in _plugin_groups() - self._plugins_loaded:
            self._plugins_loaded.add(group)
            for entry_point in entry_points(group=group):
                self.add_command(entry_point.load(), entry_point.name)


def _plugin_groups() -> set[str]:
    """Return the groups of entry points that add commands; the application may be what makes it two."""
    # commands made for Flask itself would not know this application
    return {"flaskctx.commands", "flask.commands"} if stands_in_for_flask() else {"flaskctx.commands"}


def _print_error(error: NoAppException) -> None:
    click.secho(f"Error: {error.format_message()}\n", err=True, fg="red")


def _push_app_context(ctx: click.Context, app: Flask) -> None:
    """Push the application's context until the click context ends, for callbacks of options too."""
    top = _app_ctx_stack.top
    if top is None or top.app is not app:
        ctx.with_resource(app.app_context())
