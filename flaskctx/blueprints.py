"""Blueprint: a part of an application that is put together before there is an application.

What it does to an application is recorded as functions and done when it is registered, once for each
registration, under the full name that it has there: `outer.inner` for a blueprint within a blueprint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .helpers import _endpoint_from_view_func
from .scaffold import (
    F,
    Scaffold,
    T_after_request,
    T_before_request,
    T_context_processor,
    T_error_handler,
    T_teardown,
    T_url_defaults,
    T_url_value_preprocessor,
    setupmethod,
)
from .templating import registrar

if TYPE_CHECKING:
    from _typeshed import StrPath

    from . import typing as ft
    from .app import Flask

DeferredSetupFunction = Callable[["BlueprintSetupState"], object]
T_before_first_request = TypeVar("T_before_first_request", bound="ft.BeforeFirstRequestCallable")


class _Default(Enum):
    """Stands for an argument that was not given, where None means something."""

    CLI_GROUP = "the blueprint's name"


_OWN_NAME: Final = _Default.CLI_GROUP


def _join_names(*names: str) -> str:
    """Join blueprint names and an endpoint with dots, without those that are empty."""
    return ".".join(filter(None, names))


def _join_paths(prefix: str | None, path: str | None) -> str | None:
    """Join a URL prefix and what comes behind it with one slash; None: there is none on that side."""
    if prefix is None:
        return path
    return f"{prefix.rstrip('/')}/{path.lstrip('/')}" if path is not None else prefix


def _join_subdomains(inner: str | None, outer: str | None) -> str | None:
    """Put a nested blueprint's subdomain in front of the one it is nested in."""
    if inner is None or outer is None:
        return outer if inner is None else inner
    return ".".join(filter(None, (inner, outer)))


def _refuse_dot(what: str, name: str) -> None:
    if "." in name:
        raise ValueError(
            f"The {what} {name!r} has a dot in it. Dots separate the names of nested blueprints and"
            " endpoints; use another character, such as '_'."
        )


def _given(options: dict[str, Any], option: str, otherwise: str | None) -> str | None:
    """Return an option's value; `otherwise` where it is missing or None."""
    value: str | None = options.get(option)
    return otherwise if value is None else value


def _key_within(name: str, key: str | None) -> str:
    """Return the key of an application's registry for a key of the registry of the blueprint `name`."""
    return name if key is None else f"{name}.{key}"


class BlueprintSetupState:
    """One registration of a blueprint: what the recorded functions get to work with.

    :param blueprint: the blueprint.
    :param app: the application that it is registered on.
    :param options: what `register_blueprint` was given.
    :param first_registration: whether the blueprint was not on this application before.
    """

    def __init__(self, blueprint: Blueprint, app: Flask, options: dict[str, Any], first_registration: bool) -> None:
        self.blueprint = blueprint
        self.app = app
        self.options = options
        self.first_registration = first_registration

        self.subdomain = _given(options, "subdomain", blueprint.subdomain)
        """The subdomain of its rules."""

        self.url_prefix = _given(options, "url_prefix", blueprint.url_prefix)
        """What stands in front of the paths of its rules."""

        self.name: str = options.get("name", blueprint.name)
        """What it is registered as, without the blueprints that it is nested in."""

        self.name_prefix: str = options.get("name_prefix", "")
        """The full name of the blueprint that it is nested in."""

        self.url_defaults = {**blueprint.url_values_defaults, **options.get("url_defaults", {})}
        """Values that its rules give their views."""

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: ft.RouteCallable | None = None,
        **options: Any,
    ) -> None:
        """Register a rule of the blueprint on the application, with prefix, subdomain, name and defaults."""
        path = _join_paths(self.url_prefix, rule or None) or ""
        options.setdefault("subdomain", self.subdomain)
        defaults = {**self.url_defaults, **(options.pop("defaults", None) or {})}
        if endpoint is None:
            endpoint = _endpoint_from_view_func(view_func)
        full_endpoint = _join_names(self.name_prefix, self.name, endpoint)
        self.app.add_url_rule(path, full_endpoint, view_func, defaults=defaults, **options)


class Blueprint(Scaffold):
    """A part of an application: routes, hooks, error handlers, templates, files and commands.

    Its hooks and handlers serve its own routes and those of blueprints nested in it; the `app_` variants are
    the application's.

    :param name: what endpoints start with; without dots.
    :param import_name: the module it is defined in, usually `__name__`.
    :param static_folder: the folder with static files, relative to `root_path`; None: there is none.
    :param static_url_path: the URL prefix of the static files, behind `url_prefix`; None: the folder's name.
    :param template_folder: the folder with templates, relative to `root_path`; the application's own win.
    :param url_prefix: what stands in front of the paths of its rules.
    :param subdomain: the subdomain of its rules.
    :param url_defaults: values that its rules give their views.
    :param root_path: the folder that relative paths start from; None: that of the module.
    :param cli_group: the command group its commands are in, by default its name; None: the top level.
    """

    _default_context_processors = ()  # the application's serve the blueprint's templates too
    _got_registered_once = False

    def __init__(
        self,
        name: str,
        import_name: str,
        static_folder: StrPath | None = None,
        static_url_path: str | None = None,
        template_folder: StrPath | None = None,
        url_prefix: str | None = None,
        subdomain: str | None = None,
        url_defaults: dict[str, Any] | None = None,
        root_path: str | None = None,
        cli_group: str | _Default | None = _OWN_NAME,
    ) -> None:
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if not name:
            raise ValueError("A blueprint needs a name, which its endpoints start with.")
        _refuse_dot("blueprint name", name)
        self.name = name
        self.cli.name = name
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.url_values_defaults = {} if url_defaults is None else url_defaults
        self.cli_group = cli_group
        self.deferred_functions: list[DeferredSetupFunction] = []
        """What is done at each registration."""
        self._blueprints: list[tuple[Blueprint, dict[str, Any]]] = []

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_registered_once:
            raise AssertionError(
                f"{f_name}() was called on the blueprint {self.name!r} after it was registered, so the"
                " registration missed it. Call register_blueprint() last, when all modules that add to the"
                " blueprint are imported."
            )

    # Registration

    @setupmethod
    def record(self, func: DeferredSetupFunction) -> None:
        """Call `func(state)` at each registration, with the `BlueprintSetupState`."""
        self.deferred_functions.append(func)

    @setupmethod
    def record_once(self, func: DeferredSetupFunction) -> None:
        """Call `func(state)` when the blueprint is registered on an application for the first time."""

        def on_first_registration(state: BlueprintSetupState) -> None:
            if state.first_registration:
                func(state)

        self.record(on_first_registration)

    def make_setup_state(
        self, app: Flask, options: dict[str, Any], first_registration: bool = False
    ) -> BlueprintSetupState:
        """Make the object that recorded functions get. Override it to give them another."""
        return BlueprintSetupState(self, app, options, first_registration)

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Nest a blueprint in this one.

        :param options: `name`, `url_prefix`, `subdomain` and `url_defaults` to use instead of the nested
            blueprint's (its `url_defaults` are added to); prefix and subdomain are joined with this one's.
        :raises ValueError: it would contain itself.
        """
        if any(nested is self for nested in blueprint._with_nested()):
            raise ValueError(f"{blueprint!r} can't be nested in {self!r}: it would contain itself.")
        self._blueprints.append((blueprint, options))

    def _with_nested(self) -> Iterator[Blueprint]:
        yield self
        for blueprint, _ in self._blueprints:
            yield from blueprint._with_nested()

    def register(self, app: Flask, options: dict[str, Any]) -> None:
        """Do to an application what was recorded. `app.register_blueprint` calls this.

        :param options: what `register_blueprint` was given; for a nested blueprint joined with what the outer
            one got, and its full name as `name_prefix`.
        :raises ValueError: the name is empty, or taken by another registration.
        """
        own_name: str = options.get("name", self.name)
        if not own_name:
            raise ValueError(f"{self!r} can't be registered with an empty name.")
        name = _join_names(options.get("name_prefix", ""), own_name)
        self._refuse_taken_name(app, name)

        first_registration = all(other is not self for other in app.blueprints.values())
        app.blueprints[name] = self
        self._got_registered_once = True

        state = self.make_setup_state(app, options, first_registration)
        if self.has_static_folder:
            state.add_url_rule(f"{self.static_url_path}/<path:filename>", "static", self.send_static_file)
        self._merge_blueprint_funcs(app, name)
        for function in self.deferred_functions:
            function(state)
        self._add_commands(app, name, options.get("cli_group", self.cli_group))
        for blueprint, nested_options in self._blueprints:
            blueprint.register(app, blueprint._options_within(state, name, nested_options))

    def _refuse_taken_name(self, app: Flask, name: str) -> None:
        existing = app.blueprints.get(name)
        if existing is None:
            return
        other = "This blueprint" if existing is self else f"Another blueprint ({existing.import_name})"
        raise ValueError(
            f"{other} is already registered as {name!r}. Give register_blueprint() a 'name' that is not"
            " taken; it takes the place of the blueprint's own name in endpoints."
        )

    def _merge_blueprint_funcs(self, app: Flask, name: str) -> None:
        """Add the blueprint's views, hooks and error handlers to the application's, under its full name."""
        for endpoint, view in self.view_functions.items():
            app.view_functions[endpoint] = view
        for own, merged in self._hook_registries(app):
            for key, functions in own.items():
                merged.setdefault(_key_within(name, key), []).extend(functions)
        for key, by_code in self.error_handler_spec.items():
            handlers = app.error_handler_spec[_key_within(name, key)]
            for code, by_class in by_code.items():
                handlers[code].update(by_class)

    def _hook_registries(self, app: Flask) -> Iterator[tuple[dict[Any, list[Any]], dict[Any, list[Any]]]]:
        """Yield the blueprint's registries of functions, each with the application's."""
        yield self.before_request_funcs, app.before_request_funcs
        yield self.after_request_funcs, app.after_request_funcs
        yield self.teardown_request_funcs, app.teardown_request_funcs
        yield self.template_context_processors, app.template_context_processors
        yield self.url_value_preprocessors, app.url_value_preprocessors
        yield self.url_default_functions, app.url_default_functions

    def _add_commands(self, app: Flask, name: str, cli_group: str | _Default | None) -> None:
        if not self.cli.commands:
            return
        if cli_group is None:
            app.cli.commands.update(self.cli.commands)
            return
        group_name = name if isinstance(cli_group, _Default) else cli_group
        group = self.cli
        if group.name != group_name:
            # under another name it is another group, with the same commands
            group = copy(group)
            group.name = group_name
        app.cli.add_command(group)

    def _options_within(self, outer: BlueprintSetupState, outer_name: str, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options of this nested blueprint, joined with what the one around it was given."""
        url_prefix = _given(options, "url_prefix", self.url_prefix)
        subdomain = _given(options, "subdomain", self.subdomain)
        return {
            **options,
            "url_prefix": _join_paths(outer.url_prefix, url_prefix),
            "subdomain": _join_subdomains(subdomain, outer.subdomain),
            "name_prefix": outer_name,
        }

    # Routes

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: ft.RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Record a URL rule. Prefix and name are put in front at registration; see `Scaffold.add_url_rule`.

        :raises ValueError: the endpoint has a dot in it.
        """
        if endpoint is None:
            endpoint = _endpoint_from_view_func(view_func)
        _refuse_dot("endpoint", endpoint)

        def add(state: BlueprintSetupState) -> None:
            state.add_url_rule(
                rule, endpoint, view_func, provide_automatic_options=provide_automatic_options, **options
            )

        self.record(add)

    # The application's hooks and handlers: done to it at the first registration

    @setupmethod
    def before_app_first_request(self, f: T_before_first_request) -> T_before_first_request:
        """Do what `Flask.before_first_request` does."""
        self.record_once(lambda state: state.app.before_first_request(f))
        return f

    @setupmethod
    def before_app_request(self, f: T_before_request) -> T_before_request:
        """Do what `Flask.before_request` does."""
        self.record_once(lambda state: state.app.before_request(f))
        return f

    @setupmethod
    def after_app_request(self, f: T_after_request) -> T_after_request:
        """Do what `Flask.after_request` does."""
        self.record_once(lambda state: state.app.after_request(f))
        return f

    @setupmethod
    def teardown_app_request(self, f: T_teardown) -> T_teardown:
        """Do what `Flask.teardown_request` does."""
        self.record_once(lambda state: state.app.teardown_request(f))
        return f

    @setupmethod
    def before_app_serving(self, f: F) -> F:
        """Do what `Flask.before_serving` does."""
        self.record_once(lambda state: state.app.before_serving(f))
        return f

    @setupmethod
    def after_app_serving(self, f: F) -> F:
        """Do what `Flask.after_serving` does."""
        self.record_once(lambda state: state.app.after_serving(f))
        return f

    @setupmethod
    def while_app_serving(self, f: F) -> F:
        """Do what `Flask.while_serving` does."""
        self.record_once(lambda state: state.app.while_serving(f))
        return f

    @setupmethod
    def app_context_processor(self, f: T_context_processor) -> T_context_processor:
        """Do what `Flask.context_processor` does."""
        self.record_once(lambda state: state.app.context_processor(f))
        return f

    @setupmethod
    def app_url_value_preprocessor(self, f: T_url_value_preprocessor) -> T_url_value_preprocessor:
        """Do what `Flask.url_value_preprocessor` does."""
        self.record_once(lambda state: state.app.url_value_preprocessor(f))
        return f

    @setupmethod
    def app_url_defaults(self, f: T_url_defaults) -> T_url_defaults:
        """Do what `Flask.url_defaults` does."""
        self.record_once(lambda state: state.app.url_defaults(f))
        return f

    @setupmethod
    def app_errorhandler(self, code: type[Exception] | int) -> Callable[[T_error_handler], T_error_handler]:
        """Do what `Flask.errorhandler` does: handle errors of all requests, with or without a route."""
        self._get_exc_class_and_code(code)  # raises here already, where the mistake is

        def register(handler: T_error_handler) -> T_error_handler:
            self.record_once(lambda state: state.app.register_error_handler(code, handler))
            return handler

        return register

    # The application's templates

    @setupmethod
    def app_template_filter(self, name: str | None = None) -> Callable[[F], F]:
        """Do what `Flask.template_filter` does."""
        return registrar(self.add_app_template_filter, name)

    @setupmethod
    def add_app_template_filter(self, f: ft.TemplateFilterCallable, name: str | None = None) -> None:
        """Do what `Flask.add_template_filter` does."""
        self.record_once(lambda state: state.app.add_template_filter(f, name))

    @setupmethod
    def app_template_test(self, name: str | None = None) -> Callable[[F], F]:
        """Do what `Flask.template_test` does."""
        return registrar(self.add_app_template_test, name)

    @setupmethod
    def add_app_template_test(self, f: ft.TemplateTestCallable, name: str | None = None) -> None:
        """Do what `Flask.add_template_test` does."""
        self.record_once(lambda state: state.app.add_template_test(f, name))

    @setupmethod
    def app_template_global(self, name: str | None = None) -> Callable[[F], F]:
        """Do what `Flask.template_global` does."""
        return registrar(self.add_app_template_global, name)

    @setupmethod
    def add_app_template_global(self, f: ft.TemplateGlobalCallable, name: str | None = None) -> None:
        """Do what `Flask.add_template_global` does."""
        self.record_once(lambda state: state.app.add_template_global(f, name))
