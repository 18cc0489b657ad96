"""ScriptInfo: the object of a command's click context, which knows how to get the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import AppLoader
from ..helpers import get_debug_flag
from . import app_loading

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..app import Flask


class ScriptInfo(AppLoader):
    """How one run of the command line gets its application.

    :param app_import_path: `module`, `module:name` or `module:factory(args)`; None: wsgi.py or app.py in the
        working directory.
    :param create_app: makes the application instead.
    :param set_debug_flag: whether the application's `debug` follows `FLASK_DEBUG`.
    :param load_dotenv_defaults: whether `.env` and `.flaskenv` files are looked for.
    """

    def __init__(
        self,
        app_import_path: str | None = None,
        create_app: Callable[..., Flask] | None = None,
        set_debug_flag: bool = True,
        load_dotenv_defaults: bool = True,
    ) -> None:
        self.app_import_path = app_import_path
        self.create_app = create_app
        self.set_debug_flag = set_debug_flag
        self.load_dotenv_defaults = load_dotenv_defaults
        self.data: dict[Any, Any] = {}
        """For commands that have something to tell each other."""
        self._loaded_app: Flask | None = None

    def load_app(self) -> Flask:
        """Return the application, which is loaded once.

        :raises NoAppException: there is none.
        """
        if self._loaded_app is None:
            app = self._find_app()
            if self.set_debug_flag:
                app.debug = get_debug_flag()
            self._loaded_app = app
        return self._loaded_app

    def _find_app(self) -> Flask:
        if self.create_app is not None:
            made: Flask | None = self.create_app()
            if made is None:
                raise app_loading.no_app_returned(getattr(self.create_app, "__qualname__", "create_app"), made)
            return made
        if self.app_import_path:
            return app_loading.load(self.app_import_path)
        app = app_loading.load_default()
        if app is None:
            raise app_loading.NoAppException(
                "Which application? Name it with '--app module:name' in front of the command or in the"
                " environment variable FLASK_APP; without a name, a file wsgi.py or app.py in the working"
                " directory is used."
            )
        return app


AppLoader.default = ScriptInfo

pass_script_info = click.make_pass_decorator(ScriptInfo, ensure=True)
"""Decorator: hand the `ScriptInfo` to a command's function as its first argument."""
