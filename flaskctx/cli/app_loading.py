"""Finding an application: in a module, by a name or a call such as `create_app("test")`, or by itself."""

from __future__ import annotations

import ast
import inspect
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..app import Flask
from ..bridge import is_async

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

APP_NAMES = ("app", "application")
FACTORY_NAMES = ("create_app", "make_app")
DEFAULT_FILES = ("wsgi.py", "app.py")


class NoAppException(click.UsageError):
    """No application was found; the message says where it was looked for and what to do."""


def load(import_path: str) -> Flask:
    """Return the application that `module`, `module:name`, `module:factory(args)` or `file.py[:...]` names.

    :raises NoAppException: there is none.
    """
    module_name, name = split_import_path(import_path)
    found = locate_app(prepare_import(module_name), name)
    assert found is not None
    return found


def load_default() -> Flask | None:
    """Return the application in the working directory's wsgi.py or app.py, None if neither file is there."""
    for file in DEFAULT_FILES:
        found = locate_app(prepare_import(file), None, raise_if_not_found=False)
        if found is not None:
            return found
    return None


def split_import_path(import_path: str) -> tuple[str, str | None]:
    r"""Split `module:name` at its colon; the one behind a Windows drive (`C:\app.py:name`) is another."""
    drive, path = os.path.splitdrive(import_path)
    module_name, colon, name = path.partition(":")
    return drive + module_name, name if colon else None


def prepare_import(path: str) -> str:
    """Make a module importable and return its dotted name.

    :param path: a file or folder, or a dotted name, which is looked up from the working directory. What is
        put on `sys.path` is the folder that holds the outermost package.
    """
    folder = os.path.realpath(path)
    root, extension = os.path.splitext(folder)
    if extension == ".py":
        folder = root
    if os.path.basename(folder) == "__init__":
        folder = os.path.dirname(folder)

    names: list[str] = []
    while True:
        folder, name = os.path.split(folder)
        names.insert(0, name)
        if not os.path.exists(os.path.join(folder, "__init__.py")):
            break
    if folder not in sys.path[:1]:
        sys.path.insert(0, folder)
    return ".".join(names)


def locate_app(module_name: str, app_name: str | None, raise_if_not_found: bool = True) -> Flask | None:
    """Import a module and return the application in it.

    :param app_name: a variable, a factory, or a call of one; None: whatever looks like an application.
    :param raise_if_not_found: whether a module that doesn't exist is an error, or gives None. One that exists
        and fails is an error always.
    :raises NoAppException: no application was found.
    """
    try:
        # not import_module, whose frames would stand in the user's traceback
        __import__(module_name)
    except ImportError as error:
        if _came_from_inside(error):
            raise NoAppException(
                f"The module {module_name!r} was found, but it imports something that can't be imported:\n\n"
                f"{traceback.format_exc()}{_hint_for_import(error)}"
            ) from None
        if not raise_if_not_found:
            return None
        raise NoAppException(
            f"There is no module {module_name!r} to import. Modules are looked up from the working directory,"
            f" {os.getcwd()}, and on sys.path."
        ) from None
    module = sys.modules[module_name]
    return find_best_app(module) if app_name is None else find_app_by_string(module, app_name)


def _came_from_inside(error: ImportError) -> bool:
    """Tell whether code of the imported module raised this, rather than the search for the module."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(
        frame.f_code.co_filename != __file__ and not frame.f_globals.get("__name__", "").startswith("importlib")
        for frame, _ in frames
    )


def find_best_app(module: ModuleType) -> Flask:
    """Return what must be meant: `app` or `application`, the only application there is, or a factory's.

    :raises NoAppException: there is nothing of it, or several applications.
    """
    for name in APP_NAMES:
        app = getattr(module, name, None)
        if isinstance(app, Flask):
            return app

    apps = {id(value): value for value in vars(module).values() if isinstance(value, Flask)}
    if len(apps) == 1:
        return apps.popitem()[1]
    if apps:
        names = [name for name, value in vars(module).items() if isinstance(value, Flask)]
        raise NoAppException(
            f"The module {module.__name__!r} has several applications. Say which one is meant:"
            f" {' or '.join(f'{module.__name__}:{name}' for name in names)}."
        )

    failure: NoAppException | None = None
    for name in FACTORY_NAMES:
        factory = getattr(module, name, None)
        if inspect.isfunction(factory):
            app = _call_factory(factory, Reference(name), module.__name__)
            if isinstance(app, Flask):
                return app
            failure = no_app_returned(f"{module.__name__}:{name}", app)
    raise failure or NoAppException(
        f"The module {module.__name__!r} has neither an application nor a factory named"
        f" {' or '.join(FACTORY_NAMES)}. If it has one under another name, use '{module.__name__}:NAME'."
        f"{_hint(vars(module).values())}"
    )


def no_app_returned(factory: str, value: object) -> NoAppException:
    """Return the error for a factory that returned something else than an application, most often nothing."""
    return NoAppException(
        f"The factory {factory} returned {value!r}, which is not a flaskctx application. Let it return"
        f" one.{_hint([value])}"
    )


def _hint(values: Iterable[object]) -> str:
    """Say what to do if one of these is an application of Flask's own."""
    if not any(cls.__module__ == "flask.app" for value in values for cls in type(value).__mro__):
        return ""
    return " There is one of Flask's own: import Flask from flaskctx instead, or set FLASKCTX_AS_FLASK=1."


def _hint_for_import(error: ImportError) -> str:
    """Say what to do where Flask itself is imported and isn't installed."""
    if not isinstance(error, ModuleNotFoundError) or error.name != "flask":
        return ""
    return (
        "\nFlask itself isn't installed. Import from flaskctx instead, or have flaskctx stand in for Flask: set"
        " FLASKCTX_AS_FLASK=1."
    )


class Reference(NamedTuple):
    """What stands behind the colon: a name, or the call of a factory with literal arguments."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    written_as_call: bool = False


def find_app_by_string(module: ModuleType, app_name: str) -> Flask:
    """Return the application that `name` or `factory(arguments)` gives in a module.

    :param app_name: arguments are literals: strings, numbers, tuples, lists, dicts, booleans, None.
    :raises NoAppException: it gives no application.
    """
    wanted = parse_reference(app_name)
    try:
        value = getattr(module, wanted.name)
    except AttributeError:
        raise NoAppException(f"The module {module.__name__!r} has no {wanted.name!r}.") from None
    if wanted.written_as_call or inspect.isfunction(value):
        value = _call_factory(value, wanted, module.__name__)
    if isinstance(value, Flask):
        return value
    raise NoAppException(
        f"'{module.__name__}:{app_name}' is {value!r}, which is not a flaskctx application. Name a variable"
        f" that holds one, or a factory that returns one.{_hint([value])}"
    )


def parse_reference(text: str) -> Reference:
    """Read `name` or `name(literal, key=literal)`.

    :raises NoAppException: it is neither.
    """
    try:
        expression = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        expression = None
    if isinstance(expression, ast.Name):
        return Reference(expression.id)
    if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name):
        try:
            args = tuple(ast.literal_eval(argument) for argument in expression.args)
            kwargs = {_keyword(keyword): ast.literal_eval(keyword.value) for keyword in expression.keywords}
        except ValueError:
            raise NoAppException(
                f"The arguments in {text!r} can't be read: only literals are possible there, such as strings,"
                " numbers, lists, dicts, True and None."
            ) from None
        return Reference(expression.func.id, args, kwargs, written_as_call=True)
    raise NoAppException(
        f"{text!r} is not understood. Behind the colon stands a variable's name or the call of a factory, as"
        """ in 'module:app' and 'module:create_app("test")'; 'app.asgi' is for servers only."""
    )


def _keyword(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise ValueError("** is no literal")
    return keyword.arg


def _call_factory(factory: Callable[..., Any], wanted: Reference, module_name: str) -> Any:
    try:
        inspect.signature(factory).bind(*wanted.args, **wanted.kwargs)
    except TypeError as error:
        raise NoAppException(
            f"The factory {wanted.name!r} in module {module_name!r} can't be called like that: {error}. Pass"
            f" arguments as in '{module_name}:{wanted.name}(\"value\", name=1)'."
        ) from None
    except ValueError:  # a callable without a signature that could be checked
        pass
    if is_async(factory):
        raise NoAppException(
            f"The factory {wanted.name!r} in module {module_name!r} is async def. Applications are made before any"
            " event loop runs: make it a def, and await what has to be awaited before the first request."
        )
    return factory(*wanted.args, **wanted.kwargs)
