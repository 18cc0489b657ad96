"""AppGroup: the click group whose commands run with the application's context pushed.

It stands below the command line itself, so that applications and blueprints can have a `cli` group.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import click

from .globals import _app_ctx_stack

if TYPE_CHECKING:
    from .app import Flask

F = TypeVar("F", bound=Callable[..., Any])


class AppLoader:
    """What a command gets its application from: the object of its click context, a `ScriptInfo`."""

    default: ClassVar[type[AppLoader] | None] = None
    """The class of a loader for commands that run outside of the command line; set by `flaskctx.cli`."""

    def load_app(self) -> Flask:
        """Return the application."""
        raise NotImplementedError

    @classmethod
    def of(cls, context: click.Context) -> AppLoader:
        """Return the loader of a click context.

        :raises click.UsageError: the context has none, and `flaskctx.cli` is not imported.
        """
        loader = context.find_object(AppLoader)
        if loader is not None:
            return loader
        if AppLoader.default is None:
            raise click.UsageError(
                "This command needs an application, and nothing here says which. Run it as 'flaskctx --app"
                " NAME ...', through a FlaskGroup, or in a test with app.test_cli_runner()."
            )
        context.obj = loader = AppLoader.default()
        return loader


def with_appcontext(f: F) -> F:
    """Run a command's function with the application's context pushed, unless one is already.

    The context stays until the click context ends, so that subcommands and close callbacks have it too.
    An `async def` function runs on the process's background loop while the command waits. Commands made with
    `app.cli.command()` and `blueprint.cli.command()` have this already.
    """

    @click.pass_context
    def with_context(context: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        top = _app_ctx_stack.top
        if top is None:
            app = AppLoader.of(context).load_app()
            context.with_resource(app.app_context())
        else:
            app = top.app
        return context.invoke(app.ensure_sync(f), *args, **kwargs)

    return cast(F, update_wrapper(with_context, f))


class AppGroup(click.Group):
    """A click group whose commands and subgroups run with the application's context pushed."""

    def command(self, *args: Any, **kwargs: Any) -> Any:
        """Register the decorated function as a command, as click does.

        :param with_appcontext: whether it runs with the application's context; True unless given.
        """
        wrap = kwargs.pop("with_appcontext", True)
        if not args or not callable(args[0]):
            register = super().command(*args, **kwargs)
            return lambda function: register(with_appcontext(function) if wrap else function)
        function, *rest = args
        return super().command(with_appcontext(function) if wrap else function, *rest, **kwargs)

    def group(self, *args: Any, **kwargs: Any) -> Any:
        """Register the decorated function as a subgroup, an `AppGroup` unless `cls` says otherwise."""
        kwargs.setdefault("cls", AppGroup)
        return super().group(*args, **kwargs)
