"""Helpers: the functions that views call, and the small ones that the framework itself needs.

Those that depend on the application only look it up and delegate, so that a subclass of `Flask` changes what
they do by overriding a method.
"""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from pathlib import Path
from threading import RLock
from typing import IO, TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

import werkzeug.exceptions
import werkzeug.security
import werkzeug.utils

from .ctx import copy_current_request_context, stream_with_context
from .globals import current_app, request, request_ctx, session
from .signals import message_flashed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta
    from importlib.machinery import ModuleSpec

    from werkzeug.wrappers import Response as BaseResponse

    from .wrappers import Response

__all__ = [
    "abort",
    "copy_current_request_context",
    "find_package",
    "flash",
    "get_debug_flag",
    "get_env",
    "get_flashed_messages",
    "get_load_dotenv",
    "get_root_path",
    "get_template_attribute",
    "locked_cached_property",
    "make_response",
    "redirect",
    "safe_join",
    "send_file",
    "send_from_directory",
    "stream_with_context",
    "total_seconds",
    "url_for",
]

T = TypeVar("T")

_NO = frozenset({"0", "false", "no"})


# Environment variables


def get_debug_flag() -> bool:
    """Tell whether `FLASK_DEBUG` asks for debug mode: anything but empty, `0`, `false` and `no`."""
    value = os.environ.get("FLASK_DEBUG", "")
    return value != "" and value.lower() not in _NO


def get_load_dotenv(default: bool = True) -> bool:
    """Tell whether `.env` files are to be loaded.

    :param default: the answer when `FLASK_SKIP_DOTENV` is unset or empty; otherwise its value decides.
    """
    skip = os.environ.get("FLASK_SKIP_DOTENV")
    return skip.lower() in _NO if skip else default


# Responses


def make_response(*args: Any) -> Response:
    """Make the response that returning these values from a view would make, to change it before returning it.

    Without arguments the response is empty; `make_response(body, status, headers)` is what returning that
    tuple is. In `async def` code it isn't awaited.

    :param args: what a view may return, or the items of the tuple that it may return.
    :raises TypeError: no response can be made of it.
    :raises RuntimeError: no application is current.
    """
    if not args:
        return current_app.response_class()
    return current_app.make_response(args[0] if len(args) == 1 else args)


def redirect(location: str, code: int = 302, Response: type[BaseResponse] | None = None) -> BaseResponse:
    """Make a response that sends the client to another URL.

    :param location: the URL.
    :param code: 301, 302, 303, 305, 307 or 308.
    :param Response: the class used where no application is active; otherwise `app.redirect` decides.
    :returns: the response, which the view returns. It may be made anywhere.
    """
    if current_app:
        return current_app.redirect(location, code=code)
    return werkzeug.utils.redirect(location, code=code, Response=Response)


def abort(code: int | BaseResponse, *args: Any, **kwargs: Any) -> NoReturn:
    """Stop handling the request: raise the HTTP exception for this status code, or this response.

    With an active application its `aborter` says which exception belongs to a code. It may be called anywhere.

    :param code: a status code of 400 or above, or a response.
    :param args: what the exception takes, a description first of all.
    :param kwargs: the same, by name.
    :raises HTTPException: always.
    :raises LookupError: there is no exception for the code.
    """
    if current_app:
        current_app.aborter(code, *args, **kwargs)
    werkzeug.exceptions.abort(code, *args, **kwargs)


def url_for(
    endpoint: str,
    *,
    _anchor: str | None = None,
    _method: str | None = None,
    _scheme: str | None = None,
    _external: bool | None = None,
    **values: Any,
) -> str:
    """Build the URL of an endpoint with the current application's `url_for`.

    In a request the URL is relative to the host, and an endpoint that starts with a dot is one of the request's
    blueprint. With an application context alone the URL is absolute, and `SERVER_NAME` has to be configured.

    :param endpoint: a view's name, as `flaskctx routes` lists them.
    :param _anchor: the fragment, put behind `#` and escaped.
    :param _method: build the rule that serves this HTTP method.
    :param _scheme: the scheme of the absolute URL; an empty one gives `//host/path`.
    :param _external: whether the URL names scheme and host; None: outside requests, or with a scheme.
    :param values: the rule's variables; those the rule doesn't know become the query string.
    :raises BuildError: no rule fits.
    :raises RuntimeError: no application is current, or there is no request and `SERVER_NAME` isn't set.
    """
    return current_app.url_for(
        endpoint, _anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external, **values
    )


# Messages for the next page


def flash(message: str, category: str = "message") -> None:
    """Keep a message in the session until a template asks for it, usually the next page that the user sees.

    :param message: the text.
    :param category: free to choose; `message`, `error`, `info` and `warning` are customary.
    :raises RuntimeError: no request is current, or the application has no secret key.
    """
    # a new list: sessions notice assignments, not what happens inside a value
    session["_flashes"] = [*session.get("_flashes", ()), (category, message)]
    app = current_app._get_current_object()
    message_flashed.send(app, _async_wrapper=app.ensure_sync, message=message, category=category)


def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]:
    """Take the flashed messages out of the session; further calls in the same request return them again.

    :param with_categories: return (category, message) pairs.
    :param category_filter: only the messages of these categories; none means all.
    :raises RuntimeError: no request is current.
    """
    context = request_ctx._get_current_object()
    if context.flashes is None:
        # asking first: a pop would mark a session without messages as changed
        taken: list[tuple[str, str]] = session.pop("_flashes") if "_flashes" in session else []
        context.flashes = taken
    flashes = context.flashes
    if category_filter:
        categories = frozenset(category_filter)
        flashes = [flashed for flashed in flashes if flashed[0] in categories]
    if with_categories:
        return flashes
    return [message for _, message in flashes]


def get_template_attribute(template_name: str, attribute: str) -> Any:
    """Return a macro or variable that a template exports, for use in Python code.

    :param template_name: the template.
    :param attribute: the name in it.
    :raises AttributeError: the template has no such name.
    :raises TemplateNotFound: there is no such template.
    :raises RuntimeError: no application is current.
    """
    return getattr(current_app.jinja_env.get_template(template_name).module, attribute)


# Files


def send_file(
    path_or_file: os.PathLike[str] | str | IO[bytes],
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: datetime | int | float | None = None,
    max_age: int | Callable[[str | None], int | None] | None = None,
) -> Response:
    """Make a response that sends a file.

    Never pass a path that a client chose: that is what `send_from_directory` is for.

    :param path_or_file: a path, relative to the application's `root_path`, or a file opened in binary mode
        and placed where sending is to start. The server closes it.
    :param mimetype: the content type; None: guessed from the name.
    :param as_attachment: whether browsers save the file instead of showing it.
    :param download_name: the name browsers save it under; None: the path's.
    :param conditional: answer conditional and range requests.
    :param etag: the entity tag, or whether to make one from the file's path, size and time.
    :param last_modified: when it was changed last, a time or seconds since the epoch; None: the file's time.
    :param max_age: how many seconds clients may keep it, or a function from the name to that number; None:
        `app.get_send_file_max_age`.
    :raises ValueError: the file was opened in text mode.
    :raises TypeError: the content type can't be guessed because there is no name.
    :raises FileNotFoundError: there is no such file.
    :raises RuntimeError: no request is current.
    """
    if isinstance(path_or_file, io.TextIOBase):
        raise ValueError(
            f"send_file sends bytes, but was given {path_or_file!r}, a file in text mode. Open it with mode"
            " 'rb'; text in memory goes into io.BytesIO(text.encode())."
        )
    return werkzeug.utils.send_file(  # type: ignore[return-value]
        path_or_file,
        mimetype=mimetype,
        as_attachment=as_attachment,
        download_name=download_name,
        conditional=conditional,
        etag=etag,
        last_modified=last_modified,
        **_application_options(max_age),
    )


def send_from_directory(directory: os.PathLike[str] | str, path: os.PathLike[str] | str, **kwargs: Any) -> Response:
    """Make a response that sends a file out of a directory; the path may come from the client.

    :param directory: the directory, relative to the application's `root_path`. Never from the client.
    :param path: the path below it.
    :param kwargs: further parameters of `send_file`.
    :raises NotFound: (404) the path leads out of the directory, or not to a file.
    :raises RuntimeError: no request is current.
    """
    options = _application_options(kwargs.pop("max_age", None))
    return werkzeug.utils.send_from_directory(directory, path, **kwargs, **options)  # type: ignore[return-value]


def _application_options(max_age: int | Callable[[str | None], int | None] | None) -> dict[str, Any]:
    """Return what the request and its application decide about a file that is sent."""
    app = current_app._get_current_object()
    return {
        "environ": request.environ,
        "max_age": app.get_send_file_max_age if max_age is None else max_age,
        "response_class": app.response_class,
        "use_x_sendfile": app.use_x_sendfile,
        "_root_path": app.root_path,
    }


def safe_join(directory: str, *pathnames: str) -> str:
    """Join path components from the client to a trusted directory. It may be called anywhere.

    :param directory: the trusted one.
    :param pathnames: what the client sent.
    :raises NotFound: (404) the result would lie outside of the directory.
    """
    path = werkzeug.security.safe_join(directory, *pathnames)
    if path is None:
        raise werkzeug.exceptions.NotFound()
    return path


# Where modules are


def get_root_path(import_name: str) -> str:
    """Return the directory of a module or package; the working directory if it has none, as in a shell.

    :raises RuntimeError: the module exists, but no directory is known for it, as with namespace packages.
    """
    module = sys.modules.get(import_name)
    file: str | None = getattr(module, "__file__", None)
    if file is None:
        spec = _find_spec(import_name)
        if spec is None or (spec.loader is None and spec.submodule_search_locations is None):
            return os.getcwd()
        if spec.loader is not None and spec.has_location:
            file = spec.origin
    if file is None:
        raise RuntimeError(
            f"No directory is known for the module {import_name!r}: it is built in, a namespace package"
            " spread over several directories, or comes from an import hook without file names. Pass"
            " root_path explicitly, or give the package an __init__.py."
        )
    return os.path.dirname(os.path.abspath(file))


def find_package(import_name: str) -> tuple[str | None, str]:
    """Return the prefix under which a package is installed, and the directory it is imported from.

    The prefix is what holds `lib/python3.x/site-packages`; None when the package isn't installed but
    imported from a working copy. The application's instance folder is placed accordingly.
    """
    directory = Path(_import_directory(import_name))
    if directory.is_relative_to(sys.prefix):
        return sys.prefix, str(directory)
    if directory.name.lower() != "site-packages":
        return None, str(directory)
    above = directory.parent
    if above.name.lower() == "lib":  # Windows: PREFIX\Lib\site-packages
        prefix = above.parent
    elif above.parent.name.lower() == "lib":  # elsewhere: PREFIX/lib/python3.x/site-packages
        prefix = above.parent.parent
    else:
        prefix = above
    return str(prefix), str(directory)


def _import_directory(import_name: str) -> str:
    """Return the directory on the import path that the module's top-level package is in."""
    top_level = import_name.partition(".")[0]
    spec = _find_spec(top_level)
    if spec is None:
        return os.getcwd()
    locations = spec.submodule_search_locations
    if not locations:
        return os.path.dirname(spec.origin) if spec.has_location and spec.origin else os.getcwd()
    if spec.origin and spec.has_location:
        return os.path.dirname(os.path.dirname(spec.origin))
    return os.path.dirname(_portion_with(import_name, list(locations)))


def _portion_with(import_name: str, portions: list[str]) -> str:
    """Return that directory of a namespace package in which the module lies, or its first directory."""
    spec = _find_spec(import_name) if "." in import_name else None
    if spec is not None:
        inside = spec.origin if spec.has_location else next(iter(spec.submodule_search_locations or ()), None)
        for portion in portions:
            if inside is not None and Path(inside).is_relative_to(portion):
                return portion
    return portions[0]


def _find_spec(import_name: str) -> ModuleSpec | None:
    """Return the module's import specification, None if there is none to be found."""
    try:
        return importlib.util.find_spec(import_name)
    except (ImportError, ValueError):  # ValueError: __main__ and other modules without a specification
        return None


# For the framework


def _split_blueprint_path(name: str) -> list[str]:
    """Return a nested blueprint's name and those around it, innermost first: a.b.c, a.b, a."""
    names = [name]
    while "." in name:
        name = name.rpartition(".")[0]
        names.append(name)
    return names


def _endpoint_from_view_func(view_func: Callable[..., Any] | None) -> str:
    """Return the endpoint that a view gets when none is given: the function's name."""
    if view_func is None:
        raise AssertionError("A route without an endpoint is named after its view function; pass either.")
    name: str | None = getattr(view_func, "__name__", None)
    if name is None:
        raise AttributeError(
            f"{view_func!r} has no __name__ to use as the endpoint. Pass endpoint='...' for partial objects"
            " and callable instances."
        )
    return name


# Kept from the classic API


class locked_cached_property(Generic[T]):
    """A property computed once and kept in the instance's `__dict__`; threads that ask meanwhile wait.

    Deleting the attribute lets it be computed anew.
    """

    def __init__(self, fget: Callable[[Any], T], name: str | None = None, doc: str | None = None) -> None:
        self.fget = fget
        self.__name__ = name or fget.__name__
        self.__module__ = fget.__module__
        self.__doc__ = doc or fget.__doc__
        self.lock = RLock()

    @overload
    def __get__(self, obj: None, owner: type[Any] | None = None) -> locked_cached_property[T]: ...
    @overload
    def __get__(self, obj: object, owner: type[Any] | None = None) -> T: ...
    def __get__(self, obj: object | None, owner: type[Any] | None = None) -> locked_cached_property[T] | T:
        if obj is None:
            return self
        # without __set__, the instance's own entry hides this property from the second access on
        kept = obj.__dict__
        with self.lock:
            if self.__name__ not in kept:
                kept[self.__name__] = self.fget(obj)
            value: T = kept[self.__name__]
            return value


def get_env() -> str:
    """Return the name of the environment that `FLASK_ENV` gives, "production" without. Debug mode has its own."""
    return os.environ.get("FLASK_ENV") or "production"


def total_seconds(td: timedelta) -> int:
    """Return the length of a time span in whole seconds."""
    return td.days * 86400 + td.seconds
