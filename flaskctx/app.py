"""The application object: how it is made, its defaults, and the names under which users call and override it.

There is no algorithm here. Registering is in `scaffold`, serving a request in `lifecycle`, URLs, templates and
responses in the modules of those names.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar, cast

from werkzeug.datastructures import ImmutableDict
from werkzeug.exceptions import Aborter, HTTPException
from werkzeug.routing import BuildError, Map, MapAdapter, Rule  # noqa: TC002  others import them from here
from werkzeug.utils import redirect as werkzeug_redirect

from . import development, instance, routes, templating, urls
from .asgi import ASGIAdapter, mounting
from .bridge import (
    Call,
    PoolOnDemand,
    Refusing,
    Seat,
    WorkerPool,
    as_the_view,
    awaitable_call,
    call_here,
    check_callable,
    drive,
    is_async,
    nonblocking,
)
from .config import Config, ConfigAttribute
from .ctx import AppContext, RequestContext, _AppCtxGlobals, _sentinel
from .globals import _app_ctx_stack, _request_ctx_err_msg, _request_ctx_stack, g
from .helpers import get_debug_flag, get_env
from .json import JSONDecoder, JSONEncoder
from .json.classic import CodecAttribute
from .json.provider import DefaultJSONProvider, JSONProvider
from .lifecycle import NATIVE, overridden, save_originals
from .lifecycle.errors import find_error_handler, propagates, raise_routing_exception, traps
from .lifecycle.overrides import step
from .lifecycle.plan import ADVICE, refuse_async
from .logging import create_logger
from .scaffold import Scaffold, setupmethod
from .serving import BackgroundTasks, Portal, Served, Serving
from .sessions import SecureCookieSessionInterface, SessionInterface
from .templating import DispatchingJinjaLoader, Environment
from .testing import EnvironBuilder, FlaskAsyncClient, FlaskClient, FlaskCliRunner
from .wrappers import Request, Response, make_response
from .wsgi import serve_mounted, serve_wsgi

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.wrappers import Response as BaseResponse

    from . import typing as ft
    from .asgi.types import ASGIApplication, Receive, Scope, Send
    from .blueprints import Blueprint
    from .sessions import SessionMixin

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


def _as_timedelta(value: timedelta | int | None) -> timedelta | None:
    return value if value is None or isinstance(value, timedelta) else timedelta(seconds=value)


class Flask(Scaffold):
    """A web application for WSGI and ASGI servers, with `def` and `async def` functions in any mix.

        app = Flask(__name__)

        @app.get("/")
        async def index():
            return "Hello"

    `gunicorn hello:app` and `uvicorn hello:app.asgi` serve it.

    :param import_name: the package or module of the application, usually `__name__`; files are found beside it.
    :param static_url_path: the URL prefix of the static files; by default the folder's name.
    :param static_folder: the folder of the static files, relative to `root_path`; None for none.
    :param static_host: the host of the static files' rule; needed with `host_matching`.
    :param host_matching: match rules by their `host` option instead of subdomains.
    :param subdomain_matching: match the `subdomain` option of rules, relative to `SERVER_NAME`.
    :param template_folder: the folder of the templates, relative to `root_path`.
    :param instance_path: an absolute path for files of this deployment; by default `instance` beside the package.
    :param instance_relative_config: load configuration files from `instance_path` instead of `root_path`.
    :param root_path: where relative paths start; found from `import_name` when it isn't given.
    :param lifespan: a function that is given the application and returns a context manager, sync or async, in which
        it serves: see `before_serving`.
    """

    request_class: type[Request] = Request
    response_class: type[Response] = Response
    aborter_class: type[Aborter] = Aborter
    app_ctx_globals_class: type[_AppCtxGlobals] = _AppCtxGlobals
    config_class: type[Config] = Config
    jinja_environment: type[Environment] = Environment
    jinja_options: dict[str, Any] = {}
    json_provider_class: type[JSONProvider] = DefaultJSONProvider
    session_interface: SessionInterface = SecureCookieSessionInterface()
    test_client_class: type[FlaskClient] | None = None
    async_test_client_class: type[FlaskAsyncClient] | None = None
    test_cli_runner_class: type[FlaskCliRunner] | None = None
    url_map_class: type[Map] = routes.FlaskMap
    url_rule_class: type[Rule] = routes.FlaskRule

    json_encoder = CodecAttribute(JSONEncoder)
    json_decoder = CodecAttribute(JSONDecoder)

    env = ConfigAttribute[str]("ENV")
    testing = ConfigAttribute[bool]("TESTING")
    secret_key = ConfigAttribute["str | bytes | None"]("SECRET_KEY")
    permanent_session_lifetime = ConfigAttribute[timedelta](
        "PERMANENT_SESSION_LIFETIME",
        get_converter=_as_timedelta,  # type: ignore[arg-type]
    )
    send_file_max_age_default = ConfigAttribute["timedelta | None"](
        "SEND_FILE_MAX_AGE_DEFAULT", get_converter=_as_timedelta
    )
    session_cookie_name = ConfigAttribute[str]("SESSION_COOKIE_NAME")
    use_x_sendfile = ConfigAttribute[bool]("USE_X_SENDFILE")

    default_config: ImmutableDict[str, Any] = ImmutableDict(
        {
            "APPLICATION_ROOT": "/",
            "BACKGROUND_TASK_SHUTDOWN_TIMEOUT": 10.0,
            "BODY_TIMEOUT": None,
            "DEBUG": None,
            "ENV": None,
            "EXPLAIN_TEMPLATE_LOADING": False,
            "MAX_BACKGROUND_THREADS": 16,
            "MAX_CONTENT_LENGTH": None,
            "MAX_COOKIE_SIZE": 4093,
            "MAX_FORM_MEMORY_SIZE": 500_000,
            "MAX_FORM_PARTS": 1_000,
            "MAX_WEBSOCKET_THREADS": 64,
            "MAX_WORKER_THREADS": 64,
            "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
            "PREFERRED_URL_SCHEME": "http",
            "PRESERVE_CONTEXT_ON_EXCEPTION": None,
            "PROPAGATE_EXCEPTIONS": None,
            "PROVIDE_AUTOMATIC_OPTIONS": True,
            "REQUEST_TIMEOUT": None,
            "RESPONSE_TIMEOUT": None,
            "SECRET_KEY": None,
            "SECRET_KEY_FALLBACKS": None,
            "SEND_FILE_MAX_AGE_DEFAULT": None,
            "SERVER_NAME": None,
            "SESSION_COOKIE_DOMAIN": None,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_NAME": "session",
            "SESSION_COOKIE_PARTITIONED": False,
            "SESSION_COOKIE_PATH": None,
            "SESSION_COOKIE_SAMESITE": None,
            "SESSION_COOKIE_SECURE": False,
            "SESSION_REFRESH_EACH_REQUEST": True,
            "SHUTDOWN_TIMEOUT": 10.0,
            "TEARDOWN_WAIT": 30.0,
            "TEMPLATES_AUTO_RELOAD": None,
            "TESTING": False,
            "TRAP_BAD_REQUEST_ERRORS": None,
            "TRAP_HTTP_EXCEPTIONS": False,
            "TRUSTED_HOSTS": None,
            "USE_X_SENDFILE": False,
            "WORKER_WAIT": 5.0,
        }
    )

    def __init__(
        self,
        import_name: str,
        static_url_path: str | None = None,
        static_folder: str | os.PathLike[str] | None = "static",
        static_host: str | None = None,
        host_matching: bool = False,
        subdomain_matching: bool = False,
        template_folder: str | os.PathLike[str] | None = "templates",
        instance_path: str | None = None,
        instance_relative_config: bool = False,
        root_path: str | None = None,
        lifespan: Callable[[Flask], ft.Manager] | None = None,
    ) -> None:
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if instance_path is None:
            instance_path = self.auto_find_instance_path()
        elif not os.path.isabs(instance_path):
            raise ValueError(f"instance_path must be an absolute path, not {instance_path!r}.")
        self.instance_path = instance_path
        self.config: Config = self.make_config(instance_relative_config)
        self.aborter: Aborter = self.make_aborter()
        self.json: JSONProvider = self.json_provider_class(self)
        self.url_map: Map = self.url_map_class(host_matching=host_matching)
        self.subdomain_matching = subdomain_matching
        self.blueprints: dict[str, Blueprint] = {}
        self.extensions: dict[str, Any] = {}
        self.url_build_error_handlers: list[Callable[[Exception, str, dict[str, Any]], str]] = []
        self.before_first_request_funcs: list[ft.BeforeFirstRequestCallable] = []
        self.teardown_appcontext_funcs: list[ft.TeardownCallable] = []
        self.shell_context_processors: list[ft.ShellContextProcessorCallable] = []
        self._mounts: list[mounting.Mount] = []
        self._got_first_request = False
        self._before_request_lock = threading.Lock()
        self._worker_threads = PoolOnDemand(self.config, "MAX_WORKER_THREADS")
        # `def` views of websockets keep a thread for long: they shall leave those of HTTP requests alone
        self._websocket_threads = PoolOnDemand(self.config, "MAX_WEBSOCKET_THREADS", patient=False)
        self._background_threads = PoolOnDemand(self.config, "MAX_BACKGROUND_THREADS")
        self._background_tasks = BackgroundTasks(self)
        self._requests_under_way = 0
        """How many requests are being served through ASGI."""
        self._serving: Serving | None = None
        self._server_loop: Any = None
        if lifespan is not None:
            check_callable("lifespan=", lifespan)
            self._serving_functions().lifespan = lifespan
        self.cli.name = self.name
        if self.has_static_folder:
            routes.add_static_route(self, static_host, host_matching)

    # -- identity, paths, configuration --------------------------------------------------------------------------

    @cached_property
    def name(self) -> str:  # type: ignore[override]
        """The import name, or that of the program's file where the application is the main module."""
        return instance.app_name(self.import_name)

    @cached_property
    def logger(self) -> logging.Logger:
        """The application's logger: it has its name, and writes to the server's error stream by default."""
        return create_logger(self)

    @property
    def debug(self) -> bool:
        """Whether errors are shown and templates reloaded, as for development. Set it before `run`."""
        return bool(self.config["DEBUG"])

    @debug.setter
    def debug(self, value: bool) -> None:
        self.config["DEBUG"] = value
        if self.config["TEMPLATES_AUTO_RELOAD"] is None:
            self.jinja_env.auto_reload = value

    @property
    def templates_auto_reload(self) -> bool:
        """Whether changed templates are loaded again: as configured, else in debug mode (classic name)."""
        wanted: bool | None = self.config["TEMPLATES_AUTO_RELOAD"]
        return self.debug if wanted is None else wanted

    @templates_auto_reload.setter
    def templates_auto_reload(self, value: bool) -> None:
        self.config["TEMPLATES_AUTO_RELOAD"] = value
        if "jinja_env" in self.__dict__:
            self.jinja_env.auto_reload = value

    @property
    def got_first_request(self) -> bool:
        """Whether the application has begun to handle requests."""
        return self._got_first_request

    @property
    def propagate_exceptions(self) -> bool:
        """Whether unhandled exceptions are raised to the server (classic name of the setting)."""
        return propagates(self)

    @property
    def preserve_context_on_exception(self) -> bool:
        """Whether the context of a failed request is kept for the debugger: as configured, else in debug mode."""
        wanted: bool | None = self.config["PRESERVE_CONTEXT_ON_EXCEPTION"]
        return self.debug if wanted is None else wanted

    def make_config(self, instance_relative: bool = False) -> Config:
        """Make the `config` object, once, when the application is made."""
        root_path = self.instance_path if instance_relative else self.root_path
        return self.config_class(root_path, {**self.default_config, "ENV": get_env(), "DEBUG": get_debug_flag()})

    def make_aborter(self) -> Aborter:
        """Make the object behind `abort`, once, when the application is made."""
        return self.aborter_class()

    def auto_find_instance_path(self) -> str:
        """Return the default of `instance_path`, beside the package or, if it is installed, below the prefix."""
        return instance.find_instance_path(self.import_name, self.name)

    def open_instance_resource(self, resource: str, mode: str = "rb", encoding: str | None = "utf-8") -> IO[Any]:
        """Open a file below `instance_path`, for reading or writing."""
        path = os.path.join(self.instance_path, resource)
        return open(path, mode, encoding=None if "b" in mode else encoding)

    # -- registering ---------------------------------------------------------------------------------------------

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_first_request:
            raise AssertionError(
                f"The setup method {f_name!r} was called after {self.name!r} had begun to handle requests, which "
                "would take effect in some processes and not in others. Register views, hooks, handlers and "
                "blueprints when the application is made: at import, or in the function that makes it."
            )

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Register a blueprint; its options (`url_prefix`, `name`, ...) override those it was made with."""
        blueprint.register(self, options)

    def iter_blueprints(self) -> Iterable[Blueprint]:
        """Iterate the blueprints in the order in which they were registered."""
        return self.blueprints.values()

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: ft.RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a URL rule and, with `view_func`, its view.

        :param rule: the URL's path with variables: `/user/<int:id>`.
        :param endpoint: its name for `url_for`; the view's name by default.
        :param view_func: a `def` or `async def` function.
        :param provide_automatic_options: answer OPTIONS without the view; by default unless it is in `methods`.
        :param options: those of `werkzeug.routing.Rule`, and `stream=True`: the view reads the request's body
            itself, from `request.stream` or `request.multipart()`, as it arrives; `max_content_length`,
            `max_form_memory_size`, `max_form_parts`: limits of the body here, as those of `Request`;
            `timeout`: the seconds that the view may take; `cancel_on_disconnect=False`: let an `async def` view go
            on when the client has gone.
        :raises AssertionError: another view function is registered for the endpoint.
        """
        routes.add_url_rule(self, rule, endpoint, view_func, provide_automatic_options, options)

    @setupmethod
    def mount_wsgi(self, path: str, wsgi_app: WSGIApplication) -> None:
        """Put a foreign WSGI application under a path; requests below it don't enter this application.

        Of several paths the longest wins. Under ASGI a2wsgi carries the application, on asyncio only.

        :param path: as in "/admin": a slash before it and none behind.
        :raises ValueError: the path is none, or is taken.
        :raises TypeError: the application is not callable.
        """
        mounting.mount_wsgi(self, path, wsgi_app)

    @setupmethod
    def mount_asgi(self, path: str, asgi_app: ASGIApplication) -> None:
        """Put a foreign ASGI application under a path; requests below it don't enter this application.

        Websockets reach it too, and its lifespan is run within this application's. Under WSGI a2wsgi carries it, on
        the background loop.

        :param path: as in "/api": a slash before it and none behind.
        :raises ValueError: the path is none, or is taken.
        :raises TypeError: the application is not callable.
        """
        mounting.mount_asgi(self, path, asgi_app)

    @setupmethod
    def before_first_request(self, f: F) -> F:
        """Call `f()` once, before the first request of the process; if it raises, again before the next."""
        self.before_first_request_funcs.append(f)
        return f

    @setupmethod
    def before_serving(self, f: F) -> F:
        """Call `f()` when the process starts to serve, on the loop on which `async def` views run.

        Under ASGI that is the server's startup, under WSGI it's before the first request. The functions run in one
        application context, `def` ones in a thread. If one fails the process serves nothing, and the log says why.
        """
        self._serving_functions().before.append(f)
        return f

    @setupmethod
    def after_serving(self, f: F) -> F:
        """Call `f()` when the process has served: the server's shutdown, under WSGI the worker's exit."""
        self._serving_functions().after.append(f)
        return f

    @setupmethod
    def while_serving(self, f: F) -> F:
        """Run a generator function around the serving: to its `yield` at the start, the rest at the end."""
        self._serving_functions().add_around(f)
        return f

    def _serving_functions(self) -> Serving:
        if self._serving is None:
            self._serving = Serving()
        return self._serving

    @setupmethod
    def teardown_appcontext(self, f: F) -> F:
        """Call `f(error)` when an application context ends: after each request and each command."""
        self.teardown_appcontext_funcs.append(f)
        return f

    @setupmethod
    def shell_context_processor(self, f: F) -> F:
        """Call `f()` for the shell; the dict that it returns becomes names there."""
        self.shell_context_processors.append(f)
        return f

    def make_shell_context(self) -> dict[str, Any]:
        """Return the names that a shell for this application starts with."""
        names: dict[str, Any] = {"app": self, "g": g}
        for processor in self.shell_context_processors:
            names.update(self.ensure_sync(processor)())
        return names

    # -- templates -----------------------------------------------------------------------------------------------

    @cached_property
    def jinja_env(self) -> Environment:
        """The Jinja environment, made at its first use."""
        return self.create_jinja_environment()

    def create_jinja_environment(self) -> Environment:
        """Make `jinja_env` from `jinja_options` and the configuration."""
        return templating.create_jinja_environment(self)

    def create_global_jinja_loader(self) -> DispatchingJinjaLoader:
        """Make the loader that looks into the folders of the application and its blueprints."""
        return DispatchingJinjaLoader(self)

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        """Tell whether a template is autoescaped, from its name; one made from a string (None) is."""
        return templating.select_jinja_autoescape(filename)

    def update_template_context(self, context: dict[str, Any]) -> None:
        """Add what the context processors return to a template's context; values already there win."""
        templating.update_template_context(self, context)

    @setupmethod
    def template_filter(self, name: str | None = None) -> Callable[[F], F]:
        """Register the decorated function as a Jinja filter."""
        return templating.registrar(self.add_template_filter, name)

    @setupmethod
    def template_test(self, name: str | None = None) -> Callable[[F], F]:
        """Register the decorated function as a Jinja test."""
        return templating.registrar(self.add_template_test, name)

    @setupmethod
    def template_global(self, name: str | None = None) -> Callable[[F], F]:
        """Register the decorated function as a Jinja global."""
        return templating.registrar(self.add_template_global, name)

    @setupmethod
    def add_template_filter(self, f: ft.TemplateFilterCallable, name: str | None = None) -> None:
        """Register a Jinja filter under `name`, by default the function's."""
        self.jinja_env.filters[name or f.__name__] = f

    @setupmethod
    def add_template_test(self, f: ft.TemplateTestCallable, name: str | None = None) -> None:
        """Register a Jinja test under `name`, by default the function's."""
        self.jinja_env.tests[name or f.__name__] = f

    @setupmethod
    def add_template_global(self, f: ft.TemplateGlobalCallable, name: str | None = None) -> None:
        """Register a Jinja global under `name`, by default the function's."""
        self.jinja_env.globals[name or f.__name__] = f

    # -- URLs and answers ----------------------------------------------------------------------------------------

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Bind the URL map to a request, or without one to `SERVER_NAME`; None where there is neither."""
        return urls.create_url_adapter(self, request)

    def _quick_rule(self, request: Request) -> Rule | None:
        """Return the rule for a request whose URL needs no adapter to be matched."""
        if type(self).create_url_adapter is not _create_url_adapter or "create_url_adapter" in self.__dict__:
            return None
        return urls.quick_rule(self, request)

    def url_for(
        self,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: Any,
    ) -> str:
        """Build the URL of an endpoint; see `flaskctx.url_for`."""
        return urls.url_for(
            self, endpoint, _anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external, **values
        )

    def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        """Let the `url_defaults` functions add values before a URL is built."""
        urls.inject_url_defaults(self, endpoint, values)

    def handle_url_build_error(self, error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
        """Ask the `url_build_error_handlers` for a URL; raises the error where none has one."""
        return urls.handle_url_build_error(self, error, endpoint, values)

    def redirect(self, location: str, code: int = 302) -> BaseResponse:
        """Make a redirect response."""
        return werkzeug_redirect(location, code=code, Response=self.response_class)

    def make_response(self, rv: ft.ResponseReturnValue) -> Response:
        """Make a response of a view's return value: text, bytes, JSON data, iterators sync or async, tuples,
        responses, WSGI callables. Raises TypeError for anything else."""
        return make_response(self, rv)

    @nonblocking
    def make_default_options_response(self) -> Response:
        """Answer an OPTIONS request with the methods that the URL allows."""
        response = self.response_class()
        adapter = _current_request_context().url_adapter
        assert adapter is not None
        response.allow.update(adapter.allowed_methods())
        return response

    # -- contexts and sessions -----------------------------------------------------------------------------------

    def app_context(self) -> AppContext:
        """Return an application context, for `with` and `async with`."""
        return AppContext(self)

    def request_context(self, environ: WSGIEnvironment) -> RequestContext:
        """Return a request context for a WSGI environ, for `with` and `async with`."""
        return RequestContext(self, environ)

    def test_request_context(self, *args: Any, **kwargs: Any) -> RequestContext:
        """Return a request context for a made-up request; takes the arguments of `werkzeug.test.EnvironBuilder`."""
        builder = EnvironBuilder(self, *args, **kwargs)
        try:
            return self.request_context(builder.get_environ())
        finally:
            builder.close()

    def open_session(self, request: Request) -> SessionMixin | None:
        """Open the session of a request through `session_interface` (classic; may be overridden)."""
        return self.ensure_sync(self.session_interface.open_session)(self, request)  # type: ignore[no-any-return]

    def save_session(self, session: SessionMixin, response: Response) -> None:
        """Save a session through `session_interface` (classic; may be overridden)."""
        self.ensure_sync(self.session_interface.save_session)(self, session, response)

    def make_null_session(self) -> SessionMixin:
        """Return the session of requests for which none can be opened (classic; may be overridden)."""
        return self.session_interface.make_null_session(self)

    # -- the lifecycle's names: call them, override them -----------------------------------------------------------

    def full_dispatch_request(self) -> Response:
        """Handle the current request, from the before hooks to the saved session; errors become responses."""
        return cast("Response", self._sync_step("full_dispatch_request", _current_request_context()))

    def try_trigger_before_first_request_functions(self) -> None:
        """Call the `before_first_request` functions if this is the first request."""
        self._sync_step("try_trigger_before_first_request_functions", _current_request_context())

    def preprocess_request(self) -> ft.ResponseReturnValue | None:
        """Call the URL value preprocessors and before hooks; what a hook returns is the response."""
        return cast("ft.ResponseReturnValue | None", self._sync_step("preprocess_request", _current_request_context()))

    def dispatch_request(self) -> ft.ResponseReturnValue:
        """Call the view of the current request and return what it returns."""
        return cast("ft.ResponseReturnValue", self._sync_step("dispatch_request", _current_request_context()))

    def handle_user_exception(self, e: Exception) -> HTTPException | ft.ResponseReturnValue:
        """Give an exception of a user's function to its handler; raises it where there is none."""
        return cast(
            "HTTPException | ft.ResponseReturnValue",
            self._sync_step("handle_user_exception", _current_request_context(), e),
        )

    def handle_http_exception(self, e: HTTPException) -> HTTPException | ft.ResponseReturnValue:
        """Give an HTTP exception to its handler; without one, return it: it is a response."""
        return cast(
            "HTTPException | ft.ResponseReturnValue",
            self._sync_step("handle_http_exception", _current_request_context(), e),
        )

    def handle_exception(self, e: Exception) -> Response:
        """Turn an exception that nothing has handled into a 500; raises it where exceptions propagate."""
        return cast("Response", self._sync_step("handle_exception", _current_request_context(), e))

    def finalize_request(
        self, rv: ft.ResponseReturnValue | HTTPException, from_error_handler: bool = False
    ) -> Response:
        """Make the response of a return value and run the after hooks on it."""
        return cast("Response", self._sync_step("finalize_request", _current_request_context(), rv, from_error_handler))

    def process_response(self, response: Response) -> Response:
        """Run the after hooks on a response and save the session."""
        return cast("Response", self._sync_step("process_response", _current_request_context(), response))

    def do_teardown_request(self, exc: BaseException | None = _sentinel) -> None:
        """Call the `teardown_request` functions of the current request."""
        exc = sys.exc_info()[1] if exc is _sentinel else exc
        self._sync_step("do_teardown_request", _current_request_context(), exc)

    def do_teardown_appcontext(self, exc: BaseException | None = _sentinel) -> None:
        """Call the `teardown_appcontext` functions."""
        exc = sys.exc_info()[1] if exc is _sentinel else exc
        self._sync_step("do_teardown_appcontext", _app_ctx_stack.top or self.app_context(), exc)

    def should_ignore_error(self, error: BaseException | None) -> bool:
        """Tell whether the teardown functions should not be told of an error. False; override it."""
        return False

    def log_exception(
        self,
        exc_info: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> None:
        """Log an exception that became a 500, with the request's method and path."""
        top = _request_ctx_stack.top
        place = f"{top.request.path} [{top.request.method}]" if top is not None else "no request"
        # worded as Flask words it: people search and group their logs by it
        self.logger.error("Exception on %s", place, exc_info=exc_info)

    def trap_http_exception(self, e: Exception) -> bool:
        """Tell whether an HTTP exception is treated as an error of the program; see the `TRAP_` settings."""
        return traps(self, e)

    def raise_routing_exception(self, request: Request) -> NoReturn:
        """Raise what matching the URL has raised; in debug mode explain redirects that lose a form."""
        raise_routing_exception(self, request)

    def _find_error_handler(self, e: Exception, blueprints: list[str]) -> ft.ErrorHandlerCallable | None:
        return find_error_handler(self, e, blueprints)

    # -- sync and async --------------------------------------------------------------------------------------------

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a `def` form of a function: a `def` function itself, or one that waits for an `async def` one.

        The wait is on the thread that calls it: for the server's loop in a worker thread of an ASGI request, for
        the background loop elsewhere. On a thread whose loop runs it raises RuntimeError: await it there.
        """
        return self.async_to_sync(func) if is_async(func) else func

    def async_to_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a `def` function that calls an `async def` one and waits for it; see `ensure_sync`."""

        @functools.wraps(func)
        def waiting(*args: Any, **kwargs: Any) -> Any:
            name = getattr(func, "__qualname__", repr(func))
            return drive(_finish(call_here(f"await {name}(...)"), func, args, kwargs))

        return waiting

    def ensure_async(self, func: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Return an `async def` form of a function, to be awaited where an event loop runs.

        A `def` function is called in the request's worker thread. Given a method of the lifecycle
        (`app.full_dispatch_request`), it is that step, awaited.
        """

        @functools.wraps(func)
        async def awaitable(*args: Any, **kwargs: Any) -> Any:
            name = getattr(func, "__name__", "")
            if getattr(func, "__self__", None) is self and name in NATIVE and not overridden(self, name):
                return await self._awaitable(NATIVE[name], _current_request_context(), *args, **kwargs)
            return await self._awaitable(_call_it, func, args, kwargs)

        return awaitable

    @cached_property
    def portal(self) -> Portal:
        """Runs coroutines for sync code: `app.portal.run(f, ...)`, `app.portal.start(f, ...)`."""
        return Portal(self)

    def add_background_task(self, f: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Start `f(*args, **kwargs)`, `def` or `async def`, and don't wait for it. From any code, sync or async.

        It has an application context of its own, and goes on when the request ends; hand over `carry(f)` if it needs
        `request`. What it raises is logged, and sent as the signal `got_background_exception`. At the end it is given
        `BACKGROUND_TASK_SHUTDOWN_TIMEOUT` seconds.

        :param f: the function itself; neither a coroutine nor what it returns.
        :raises TypeError: it is not callable.
        """
        self._background_tasks.add(f, args, kwargs)

    def serving(self) -> Served:
        """Start the application for a block, `with` or `async with`, as a server does: for tests and scripts."""
        return Served(self)

    def _sync_step(self, name: str, context: Any, *args: Any) -> Any:
        call = call_here(ADVICE.get(name) or f"await app.ensure_async(app.{name})(...)")
        if isinstance(call, Refusing):
            refuse_async(call, name, context)
        return drive(NATIVE[name](call, context, *args))

    async def _async_step(self, name: str, context: Any, *args: Any) -> Any:
        return await self._awaitable(step, context, name, *args)

    async def _async_enter(self, kind: str, context: Any) -> None:
        """Enter a context; if the task is cancelled on its way back from a worker thread, leave it again."""
        pushes = len(context._nodes)
        try:
            await self._async_step(f"enter_{kind}", context)
        except BaseException as error:
            if len(context._nodes) > pushes:
                await self._async_step(f"leave_{kind}", context, error)
            raise

    def _awaitable(self, steps: Callable[..., Any], *args: Any, **kwargs: Any) -> Awaitable[Any]:
        return awaitable_call(self._seat, steps, *args, **kwargs)

    def _seat(self) -> Seat:
        """Return a place for `def` functions: the current request's while it lasts, else a new one."""
        top = _request_ctx_stack.top
        if top is not None and top.app is self and top._call is not None:
            return top._call.lend_seat() or self._worker_threads()
        return self._worker_threads()

    @property
    def worker_pool(self) -> WorkerPool:
        """The threads on which `def` functions run under ASGI: `MAX_WORKER_THREADS` of them at most."""
        return self._worker_threads.pool

    def close_worker_pool(self) -> None:
        """End the worker threads when their work is done; the next `def` function starts new ones."""
        self._worker_threads.close()
        self._websocket_threads.close()
        self._background_threads.close()

    def _has_blocking_converter(self) -> bool:
        return routes.has_blocking_converter(self.url_map)

    # -- serving ---------------------------------------------------------------------------------------------------

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application itself; wrap it in middleware: `app.wsgi_app = ProxyFix(app.wsgi_app)`."""
        if self._mounts and (mount := mounting.mount_for_environ(self._mounts, environ)) is not None:
            return serve_mounted(self, mount.serve_wsgi, environ, start_response)
        return serve_wsgi(self, environ, start_response)

    async def asgi_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application itself; wrap it in middleware: `app.asgi_app = Middleware(app.asgi_app)`.

        All that comes through ASGI goes through the middleware: requests, websockets, the lifespan, what is mounted.
        Middleware around `wsgi_app` works under both protocols, and inside of this.
        """
        await self.asgi(scope, receive, send, inside=True)

    @cached_property
    def asgi(self) -> ASGIAdapter:
        """The ASGI application for servers: `uvicorn hello:app.asgi`."""
        return ASGIAdapter(self)

    def __call__(self, *args: Any) -> Any:
        """Be a WSGI application, `app(environ, start_response)`, or lead to the ASGI one.

        With three arguments, or one, or a scope as the first, it is ASGI (`uvicorn hello:app`).
        """
        try:
            is_wsgi = len(args) == 2 and "type" not in args[0]
        except TypeError:
            raise TypeError(
                f"{self!r} was called with {args[0]!r}, which is neither a WSGI environ nor an ASGI scope. Have the"
                " server speak one of the two: `granian --interface asgi hello:app.asgi` or `granian --interface wsgi"
                " hello:app`."
            ) from None
        if is_wsgi:
            return self.wsgi_app(*args)
        if len(args) == 1:
            return functools.partial(self.asgi, *args)
        return self.asgi(*args)

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        load_dotenv: bool = True,
        **options: Any,
    ) -> None:
        """Serve the application for development, on werkzeug's server, with reloader and debugger in debug mode.

        :param host: the address to listen on; 127.0.0.1, or that of `SERVER_NAME`, by default.
        :param port: the port; 5000, or that of `SERVER_NAME`, by default.
        :param debug: switch `debug` on or off.
        :param load_dotenv: read `.env` and `.flaskenv` first, if python-dotenv is installed.
        :param options: those of `werkzeug.serving.run_simple`.
        """
        development.run(self, host, port, debug, load_dotenv, options)

    def test_client(self, use_cookies: bool = True, **kwargs: Any) -> FlaskClient:
        """Return a client that sends requests to the application in this process, through WSGI."""
        client_class = self.test_client_class or FlaskClient
        return client_class(self, self.response_class, use_cookies=use_cookies, **kwargs)

    def test_cli_runner(self, **kwargs: Any) -> FlaskCliRunner:
        """Return a click runner for the application's commands."""
        return (self.test_cli_runner_class or FlaskCliRunner)(self, **kwargs)

    def async_test_client(self, use_cookies: bool = True, **kwargs: Any) -> FlaskAsyncClient:
        """Return a client whose requests are awaited, and go through ASGI. Use it with `async with`."""
        client_class = self.async_test_client_class or FlaskAsyncClient
        return client_class(self, self.response_class, use_cookies=use_cookies, **kwargs)


async def _finish(call: Call, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return await call.finish(as_the_view(function, function(*args, **kwargs)))


async def _call_it(call: Any, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return await call(function, *args, **kwargs)


def _current_request_context() -> RequestContext:
    top = _request_ctx_stack.top
    if top is None:
        raise RuntimeError(_request_ctx_err_msg)
    return top


_create_url_adapter = Flask.create_url_adapter
save_originals(Flask, RequestContext, AppContext, Request)
