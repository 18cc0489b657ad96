"""AppGroup: the click group whose commands run with the application's context pushed.

It stands below the command line itself, so that applications and blueprints can have a `cli` group.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import click

from .bridge import Refusing, call_here, drive, is_async
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
        if _app_ctx_stack.top is None:
            context.with_resource(AppLoader.of(context).load_app().app_context())
        return _call(context, f, args, kwargs)

    return cast(F, update_wrapper(with_context, f))


def _waited_for(f: F) -> F:
    """Make a function that click can call of an `async def` one; another is returned as it is."""
    if not is_async(inspect.unwrap(f)):
        return f

    @click.pass_context
    def waiting(context: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        return _call(context, f, args, kwargs)

    return cast(F, update_wrapper(waiting, f))


def _call(context: click.Context, f: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a command's function, and wait for its coroutine if it gives one."""
    result = context.invoke(f, *args, **kwargs)
    if not inspect.iscoroutine(result):
        return result
    call = call_here("await run_in_thread(runner.invoke, ...)")
    if not isinstance(call, Refusing):
        result = _within(context, result)
    return drive(call(lambda: result))


async def _within(context: click.Context, coroutine: Coroutine[Any, Any, Any]) -> Any:
    # click keeps its current context for each thread: on the loop's there is none
    with context.scope(cleanup=False):
        return await coroutine


class AppGroup(click.Group):
    """A click group whose commands and subgroups run with the application's context pushed.

    Their functions may be `async def`: these run on the process's background loop while the command waits.
    """

    def command(self, *args: Any, **kwargs: Any) -> Any:
        """Register the decorated function as a command, as click does.

        :param with_appcontext: whether it runs with the application's context; True unless given.
        """
        wrap = with_appcontext if kwargs.pop("with_appcontext", True) else _waited_for
        return _register(super().command, wrap, args, kwargs)

    def group(self, *args: Any, **kwargs: Any) -> Any:
        """Register the decorated function as a subgroup, an `AppGroup` unless `cls` says otherwise."""
        kwargs.setdefault("cls", AppGroup)
        return _register(super().group, _waited_for, args, kwargs)


def _register(register: Callable[..., Any], wrap: Callable[[Any], Any], args: Any, kwargs: Any) -> Any:
    """Register a wrapped function; the decorator that does so may be used without parentheses."""
    if args and callable(args[0]):
        function, *args = args
        return register(*args, **kwargs)(wrap(function))
    decorate = register(*args, **kwargs)
    return lambda function: decorate(wrap(function))
