"""Scaffold: what applications and blueprints have in common, the registration of functions and files.

Registering only fills the dicts below. They are public: users read and change them, and serving a request
looks into them each time, so nothing may keep a copy.
"""

from __future__ import annotations

import inspect
import os
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from functools import cached_property, update_wrapper
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from jinja2 import BaseLoader, FileSystemLoader
from werkzeug.exceptions import HTTPException, default_exceptions

from .bridge.kinds import check_callable
from .command_group import AppGroup
from .globals import current_app
from .helpers import _endpoint_from_view_func as _endpoint_from_view_func  # extensions import it from here
from .helpers import find_package as find_package
from .helpers import get_root_path, send_from_directory
from .json.classic import CodecAttribute
from .templating import _default_template_ctx_processor

if TYPE_CHECKING:
    import click
    from _typeshed import StrPath

    from . import typing as ft
    from .wrappers import Response

F = TypeVar("F", bound=Callable[..., Any])
T_route = TypeVar("T_route", bound="ft.RouteCallable")
T_websocket = TypeVar("T_websocket", bound="ft.WebsocketCallable")
T_before_request = TypeVar("T_before_request", bound="ft.BeforeRequestCallable")
T_after_request = TypeVar("T_after_request", bound="ft.AfterRequestCallable[Any]")
T_teardown = TypeVar("T_teardown", bound="ft.TeardownCallable")
T_context_processor = TypeVar("T_context_processor", bound="ft.TemplateContextProcessorCallable")
T_url_value_preprocessor = TypeVar("T_url_value_preprocessor", bound="ft.URLValuePreprocessorCallable")
T_url_defaults = TypeVar("T_url_defaults", bound="ft.URLDefaultCallable")
T_error_handler = TypeVar("T_error_handler", bound="ft.ErrorHandlerCallable")


def setupmethod(f: F) -> F:
    """Make a method that registers something an error once it is too late for that."""
    name = f.__name__

    def checked(self: Scaffold, /, *args: Any, **kwargs: Any) -> Any:
        self._check_setup_finished(name)
        return f(self, *args, **kwargs)

    return cast(F, update_wrapper(checked, f))


def _error_handlers_by_code() -> dict[int | None, dict[type[Exception], ft.ErrorHandlerCallable]]:
    return defaultdict(dict)


def _append(registry: dict[ft.AppOrBlueprintKey, list[Any]], f: F) -> F:
    """Add a function to those that a registry has for all requests, and return it, as decorators do."""
    check_callable("A hook's decorator", f)
    registry.setdefault(None, []).append(f)
    return f


def _refuse_bare(given: object) -> None:
    """Refuse a view in the place of a rule: the decorator has been written without its parentheses.

    :raises TypeError: it is a function or a class.
    """
    if inspect.isroutine(given) or inspect.isclass(given):
        raise TypeError(
            f"This decorator takes a rule or an endpoint first, and was given {given!r}. Write it with parentheses,"
            ' as in @app.get("/path").'
        )


class Scaffold:
    """The base of `Flask` and `Blueprint`.

    The keys of the registries are blueprint names; None holds what belongs to every request of an
    application, or to the blueprint itself while it is not registered.

    :param import_name: the module it is defined in, usually `__name__`.
    :param static_folder: the folder with static files, relative to `root_path`; None: there is none.
    :param static_url_path: the URL prefix of the static files; None: the folder's name.
    :param template_folder: the folder with templates, relative to `root_path`; None: there is none.
    :param root_path: the folder that relative paths start from; None: that of the module.
    """

    name: str
    """What it is called in endpoints, messages and logs."""

    _default_context_processors: tuple[ft.TemplateContextProcessorCallable, ...] = (_default_template_ctx_processor,)

    json_encoder = CodecAttribute(None)
    """A `flaskctx.json.JSONEncoder` that writes JSON; `app.json` is today's way to say how that's done."""
    json_decoder = CodecAttribute(None)
    """A `flaskctx.json.JSONDecoder` that reads JSON; `app.json` is today's way to say how that's done."""

    _static_folder: str | None = None
    _static_url_path: str | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        CodecAttribute.notice(cls)

    def __init__(
        self,
        import_name: str,
        static_folder: StrPath | None = None,
        static_url_path: str | None = None,
        template_folder: StrPath | None = None,
        root_path: str | None = None,
    ) -> None:
        self.import_name = import_name
        self.root_path = get_root_path(import_name) if root_path is None else root_path
        self.static_folder = static_folder
        self.static_url_path = static_url_path
        self.template_folder = template_folder

        self.cli: click.Group = AppGroup()
        """The commands that it adds to the command line."""

        self.view_functions: dict[str, ft.RouteCallable] = {}
        """Endpoint to view function."""

        self.error_handler_spec: dict[
            ft.AppOrBlueprintKey, dict[int | None, dict[type[Exception], ft.ErrorHandlerCallable]]
        ] = defaultdict(_error_handlers_by_code)
        """Blueprint name to HTTP status code (None: not an HTTP error) to exception class to handler."""

        self.before_request_funcs: dict[ft.AppOrBlueprintKey, list[ft.BeforeRequestCallable]]
        self.before_request_funcs = defaultdict(list)
        self.after_request_funcs: dict[ft.AppOrBlueprintKey, list[ft.AfterRequestCallable[Any]]]
        self.after_request_funcs = defaultdict(list)
        self.teardown_request_funcs: dict[ft.AppOrBlueprintKey, list[ft.TeardownCallable]]
        self.teardown_request_funcs = defaultdict(list)
        self.template_context_processors: dict[ft.AppOrBlueprintKey, list[ft.TemplateContextProcessorCallable]]
        self.template_context_processors = defaultdict(list)
        if self._default_context_processors:
            self.template_context_processors[None].extend(self._default_context_processors)
        self.url_value_preprocessors: dict[ft.AppOrBlueprintKey, list[ft.URLValuePreprocessorCallable]]
        self.url_value_preprocessors = defaultdict(list)
        self.url_default_functions: dict[ft.AppOrBlueprintKey, list[ft.URLDefaultCallable]]
        self.url_default_functions = defaultdict(list)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def _check_setup_finished(self, f_name: str) -> None:
        """Raise an AssertionError if the setup method `f_name` can't be called any more."""
        raise NotImplementedError

    # Files

    @property
    def static_folder(self) -> str | None:
        """The absolute path of the folder with static files; None if there is none."""
        return None if self._static_folder is None else os.path.join(self.root_path, self._static_folder)

    @static_folder.setter
    def static_folder(self, value: StrPath | None) -> None:
        self._static_folder = None if value is None else os.fspath(value).rstrip("/\\")

    @property
    def has_static_folder(self) -> bool:
        """Whether there is a folder with static files."""
        return self._static_folder is not None

    @property
    def static_url_path(self) -> str | None:
        """The URL prefix of the static files: the one given, or the folder's name; None without folder."""
        if self._static_url_path is not None:
            return self._static_url_path
        folder = self.static_folder
        return None if folder is None else f"/{os.path.basename(folder)}".rstrip("/")

    @static_url_path.setter
    def static_url_path(self, value: str | None) -> None:
        self._static_url_path = None if value is None else value.rstrip("/")

    @cached_property
    def jinja_loader(self) -> BaseLoader | None:
        """The loader of its own templates; None without template folder. May be overridden."""
        if self.template_folder is None:
            return None
        return FileSystemLoader(os.path.join(self.root_path, self.template_folder))

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """Return how many seconds a client may keep a file before it asks again; None: it always asks.

        This is the configuration's `SEND_FILE_MAX_AGE_DEFAULT`; override it to decide by the name.
        """
        age: timedelta | int | None = current_app.config["SEND_FILE_MAX_AGE_DEFAULT"]
        return int(age.total_seconds()) if isinstance(age, timedelta) else age

    def send_static_file(self, filename: str) -> Response:
        """Make the response that sends a file of the static folder: the view of the `static` endpoint."""
        folder = self.static_folder
        if folder is None:
            raise RuntimeError(f"{self!r} has no static files. Set its static_folder to the folder of them.")
        return send_from_directory(folder, filename, max_age=self.get_send_file_max_age(filename))

    def open_resource(self, resource: str, mode: str = "rb", encoding: str | None = "utf-8") -> IO[Any]:
        """Open a file below `root_path` for reading.

        :param resource: the path, relative to `root_path`.
        :param mode: `r` or `rt` for text, `rb` for bytes.
        :param encoding: of the text; of no meaning for bytes.
        :raises ValueError: the mode is not one of reading.
        """
        if mode not in {"r", "rt", "rb"}:
            raise ValueError(f"A resource is opened for reading, with mode 'r', 'rt' or 'rb', not {mode!r}.")
        return open(os.path.join(self.root_path, resource), mode, encoding=None if "b" in mode else encoding)

    # Routes

    @setupmethod
    def route(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register the decorated view for a URL rule; `add_url_rule` explains the options."""
        _refuse_bare(rule)

        def register(view: T_route) -> T_route:
            self.add_url_rule(rule, view_func=view, **options)
            return view

        return register

    @setupmethod
    def get(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register the decorated view for GET requests (and HEAD) to a URL rule."""
        return self._method_route("GET", rule, options)

    @setupmethod
    def post(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register the decorated view for POST requests to a URL rule."""
        return self._method_route("POST", rule, options)

    @setupmethod
    def put(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register the decorated view for PUT requests to a URL rule."""
        return self._method_route("PUT", rule, options)

    @setupmethod
    def delete(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register the decorated view for DELETE requests to a URL rule."""
        return self._method_route("DELETE", rule, options)

    @setupmethod
    def patch(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register the decorated view for PATCH requests to a URL rule."""
        return self._method_route("PATCH", rule, options)

    @setupmethod
    def websocket(self, rule: str, **options: Any) -> Callable[[T_websocket], T_websocket]:
        """Register the decorated view for websockets at a URL rule; it talks through `flaskctx.websocket`.

        The hooks, error handlers and teardown functions are those of HTTP requests. ASGI only: under WSGI the
        client gets a 426.

        :param options: those of `add_url_rule`, without `methods`.
        """
        _refuse_bare(rule)

        def register(view: T_websocket) -> T_websocket:
            self.add_websocket(rule, view_func=view, **options)
            return view

        return register

    def add_websocket(
        self, rule: str, endpoint: str | None = None, view_func: ft.WebsocketCallable | None = None, **options: Any
    ) -> None:
        """Register a view for websockets at a URL rule; the parameters are those of `add_url_rule`."""
        if "methods" in options:
            raise TypeError(f"The websocket {rule!r} can't have methods: a websocket has none but its handshake's GET.")
        view: Any = view_func  # it may return None
        self.add_url_rule(rule, endpoint, view, False, websocket=True, methods=["GET"], **options)

    def _method_route(self, method: str, rule: str, options: dict[str, Any]) -> Callable[[T_route], T_route]:
        if "methods" in options:
            raise TypeError(
                f"{method.lower()}({rule!r}) stands for one HTTP method. For several, use"
                f" route({rule!r}, methods=[...])."
            )
        return self.route(rule, methods=[method], **options)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: ft.RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a URL rule.

        :param rule: the URL's path, with variables as in `/user/<int:id>`.
        :param endpoint: the name that `url_for` knows it by; None: the view function's.
        :param view_func: `def` or `async def`; None: set in `view_functions` under the endpoint later.
        :param provide_automatic_options: whether OPTIONS requests are answered without the view; None: unless
            the view accepts OPTIONS itself.
        :param options: `methods`, `defaults`, `subdomain`, ... of `werkzeug.routing.Rule`, and what the
            application knows beyond them, such as `stream`.
        """
        raise NotImplementedError

    @setupmethod
    def endpoint(self, endpoint: str) -> Callable[[T_route], T_route]:
        """Make the decorated function the view of an endpoint whose rules are registered apart from it."""
        _refuse_bare(endpoint)

        def register(view: T_route) -> T_route:
            self.view_functions[endpoint] = view
            return view

        return register

    # Functions called around the view

    @setupmethod
    def before_request(self, f: T_before_request) -> T_before_request:
        """Call `f()` before the view; if it returns anything but None, that is the response."""
        return _append(self.before_request_funcs, f)

    @setupmethod
    def after_request(self, f: T_after_request) -> T_after_request:
        """Call `f(response)` after the view; it returns this response, or another one to send instead."""
        return _append(self.after_request_funcs, f)

    @setupmethod
    def teardown_request(self, f: T_teardown) -> T_teardown:
        """Call `f(error)` when the request context goes, with the exception that ended it or None."""
        return _append(self.teardown_request_funcs, f)

    @setupmethod
    def context_processor(self, f: T_context_processor) -> T_context_processor:
        """Call `f()` before a template is rendered; the dict it returns gives the template more variables."""
        return _append(self.template_context_processors, f)

    @setupmethod
    def url_value_preprocessor(self, f: T_url_value_preprocessor) -> T_url_value_preprocessor:
        """Call `f(endpoint, values)` once the URL is matched, to use or change the URL's variables."""
        return _append(self.url_value_preprocessors, f)

    @setupmethod
    def url_defaults(self, f: T_url_defaults) -> T_url_defaults:
        """Call `f(endpoint, values)` before a URL is built, to add to the values."""
        return _append(self.url_default_functions, f)

    # Error handlers

    @setupmethod
    def errorhandler(self, code_or_exception: type[Exception] | int) -> Callable[[T_error_handler], T_error_handler]:
        """Make the decorated function the handler of an HTTP status code or an exception class.

        It is called with the exception, and returns what a view may return.
        """
        self._get_exc_class_and_code(code_or_exception)  # at once, as a decorator without parentheses calls no more

        def register(handler: T_error_handler) -> T_error_handler:
            self.register_error_handler(code_or_exception, handler)
            return handler

        return register

    @setupmethod
    def register_error_handler(self, code_or_exception: type[Exception] | int, f: ft.ErrorHandlerCallable) -> None:
        """Do what `errorhandler` does, as a plain call."""
        exception, code = self._get_exc_class_and_code(code_or_exception)
        self.error_handler_spec[None][code][exception] = f

    @staticmethod
    def _get_exc_class_and_code(exc_class_or_code: type[Any] | int) -> tuple[type[Exception], int | None]:
        """Return the exception class that is meant, and its status code if it is an HTTP error.

        :raises ValueError: an unknown status code, or a class that is not derived from Exception.
        :raises TypeError: neither a status code nor a class.
        """
        if isinstance(exc_class_or_code, int):
            try:
                return default_exceptions[exc_class_or_code], exc_class_or_code
            except KeyError:
                raise ValueError(
                    f"There is no HTTP exception for the status code {exc_class_or_code!r}. For a code of"
                    " your own, derive a class from HTTPException, set its 'code' and register the class."
                ) from None
        if not isinstance(exc_class_or_code, type):
            raise TypeError(
                f"An error handler is registered for an exception class or an HTTP status code, not for"
                f" {exc_class_or_code!r}."
            )
        if not issubclass(exc_class_or_code, Exception):
            raise ValueError(
                f"{exc_class_or_code.__name__} is not derived from Exception, so it is never handed to an"
                " error handler. Register a class that is, or an HTTP status code."
            )
        code = exc_class_or_code.code if issubclass(exc_class_or_code, HTTPException) else None
        return exc_class_or_code, code
