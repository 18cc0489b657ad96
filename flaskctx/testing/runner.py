"""Running an application's commands in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from click.testing import CliRunner, Result

from ..command_group import AppLoader

if TYPE_CHECKING:
    from ..app import Flask


class _LoadedApp(AppLoader):
    """The application that the runner was made for."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def load_app(self) -> Flask:
        return self._app


class FlaskCliRunner(CliRunner):
    """click's runner, whose commands find the application that it was made for."""

    def __init__(self, app: Flask, **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)

    def invoke(self, cli: Any = None, args: Any = None, **kwargs: Any) -> Result:  # type: ignore[override]
        """Run a command, by default the group of all of the application's, and return its result.

        :param cli: a command or group.
        :param args: the command line, as a list or one string.
        """
        kwargs.setdefault("obj", self._loader())
        return super().invoke(self.app.cli if cli is None else cli, args, **kwargs)

    def _loader(self) -> AppLoader:
        """Return what commands get the application from: a `ScriptInfo` wherever a command may ask for one."""
        script_info: Any = AppLoader.default
        if script_info is None:
            return _LoadedApp(self.app)
        info: AppLoader = script_info(create_app=lambda: self.app, set_debug_flag=False)
        return info
