"""The command `shell`: Python with the application's context pushed."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from code import InteractiveConsole
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import click

from ..bridge import call_here, drive
from ..command_group import with_appcontext
from ..globals import current_app

if TYPE_CHECKING:
    from ..app import Flask


@click.command("shell", short_help="Run Python in the application's context.")
@with_appcontext
def shell_command() -> None:
    """Run an interactive Python in which the application, its context and what it offers to shells are there.

    `app.shell_context_processor` adds names; a file named by PYTHONSTARTUP is run first. 'await' works at the
    prompt: coroutines run on the background loop.
    """
    app = current_app._get_current_object()
    namespace = _startup_namespace()
    namespace.update(app.make_shell_context())
    _enable_completion(namespace)
    Console(namespace).interact(_banner(app))


class Console(InteractiveConsole):
    """A console in which `await` may stand at the prompt; it waits for the background loop."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(namespace)
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

    def runcode(self, code: CodeType) -> None:
        if not code.co_flags & inspect.CO_COROUTINE:
            super().runcode(code)
            return
        try:
            drive(call_here("await it")(FunctionType(code, self.locals)))
        except SystemExit:
            raise
        except BaseException:
            self.showtraceback()


def _banner(app: Flask) -> str:
    return (
        f"Python {sys.version} on {sys.platform}\nApplication: {app.import_name}\nInstance folder: {app.instance_path}"
    )


def _startup_namespace() -> dict[str, Any]:
    """Return the names that the user's PYTHONSTARTUP file defines."""
    namespace: dict[str, Any] = {}
    startup = os.environ.get("PYTHONSTARTUP")
    if startup and os.path.isfile(startup):
        with open(startup, "rb") as file:
            source = file.read()
        exec(compile(source, startup, "exec"), namespace)
    return namespace


def _enable_completion(namespace: dict[str, Any]) -> None:
    """Let the tab key complete the shell's names, where the interpreter can."""
    hook = getattr(sys, "__interactivehook__", None)
    if hook is None:
        return
    hook()
    # the hook imports both where they exist; importing readline anywhere else may write to the terminal
    readline, rlcompleter = sys.modules.get("readline"), sys.modules.get("rlcompleter")
    if readline is not None and rlcompleter is not None:
        readline.set_completer(rlcompleter.Completer(namespace).complete)
