"""Registering a URL rule on an application."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Map, Rule, RuleFactory

from .bridge.kinds import is_nonblocking
from .helpers import _endpoint_from_view_func

if TYPE_CHECKING:
    from . import typing as ft
    from .app import Flask


class FlaskMap(Map):
    """werkzeug's URL map, which also knows its plain rules by their path.

    A plain rule has no variables, no host or subdomain of its own, no defaults, redirect or alias: a path that
    equals it is matched by it and by nothing else. They are noted when they are added.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.plain_rules: dict[str, dict[str, Rule]] = {}
        """The plain rules by path and method. What isn't here is for `match` to find."""
        self._shared_paths: set[str] = set()
        super().__init__(*args, **kwargs)

    def add(self, rulefactory: RuleFactory) -> None:
        """Add a rule, or those of a factory."""
        before = len(self._rules)
        super().add(rulefactory)
        for rule in self._rules[before:]:
            self._note(rule)

    def _note(self, rule: Rule) -> None:
        siblings = self._rules_by_endpoint[rule.endpoint]
        if any(sibling.defaults for sibling in siblings):
            # such an endpoint redirects from one of its URLs to another
            for sibling in siblings:
                self._leave_to_match(sibling.rule)
        elif not _is_plain(rule, self):
            if not rule.arguments:
                # it may be the right one for this path and be asked before the plain ones
                self._leave_to_match(rule.rule)
        elif rule.rule not in self._shared_paths:
            rules = self.plain_rules.setdefault(rule.rule, {})
            for method in rule.methods or ():
                rules.setdefault(method, rule)

    def _leave_to_match(self, path: str) -> None:
        self._shared_paths.add(path)
        self.plain_rules.pop(path, None)


def _is_plain(rule: Rule, url_map: Map) -> bool:
    return not (
        rule.arguments
        or rule.methods is None
        or rule.build_only
        or rule.alias
        or rule.websocket
        or rule.redirect_to is not None
        or rule.host
        or url_map.host_matching
        or rule.subdomain != url_map.default_subdomain
        or "//" in rule.rule
        or "<" in rule.rule
    )


_FOR_REQUEST = ("max_content_length", "max_form_memory_size", "max_form_parts", "timeout")


class FlaskRule(Rule):
    """A URL rule with what the application knows about it beyond matching.

    :param stream: the view reads the request's body as it arrives, so that nothing waits for all of it first.
    :param cancel_on_disconnect: whether an `async def` view is cancelled when the client has gone (ASGI).
    :param for_request: attributes that the rule sets on its requests, instead of what is configured:
        `max_content_length`, the most bytes of a body, `max_form_memory_size`, of a field of a form,
        `max_form_parts`, and `timeout`, the seconds that a view may take.
    """

    provide_automatic_options: bool

    def __init__(self, string: str, *, stream: bool = False, cancel_on_disconnect: bool = True, **options: Any) -> None:
        self.stream = stream
        self.cancel_on_disconnect = cancel_on_disconnect
        wanted = {name: options.pop(name, None) for name in _FOR_REQUEST}
        self.for_request = {name: value for name, value in wanted.items() if value is not None}
        timeout = wanted["timeout"]
        if timeout is not None and not (isinstance(timeout, (int, float)) and timeout > 0):
            raise ValueError(
                f"timeout={timeout!r} of {string!r} is no number of seconds above 0. For no limit pass math.inf."
            )
        for name, value in self.for_request.items():
            if name != "timeout" and not (isinstance(value, (int, float)) and value >= 0):
                raise ValueError(f"{name}={value!r} of {string!r} is no number of bytes or parts, 0 or more.")
        super().__init__(string, **options)

    def get_empty_kwargs(self) -> dict[str, Any]:
        """Return the options for a copy of this rule."""
        own = {"stream": self.stream, "cancel_on_disconnect": self.cancel_on_disconnect, **self.for_request}
        return {**super().get_empty_kwargs(), **own}


def add_url_rule(
    app: Flask,
    rule: str,
    endpoint: str | None,
    view_func: ft.RouteCallable | None,
    provide_automatic_options: bool | None,
    options: dict[str, Any],
) -> None:
    """Add a rule to the application's URL map and its view to `view_functions`."""
    if endpoint is None:
        endpoint = _endpoint_from_view_func(view_func)
    methods = options.pop("methods", None)
    if methods is None:
        methods = getattr(view_func, "methods", None) or ("GET",)
    if isinstance(methods, str):
        raise TypeError(f"methods is a list of method names, such as methods=[{methods!r}], not a string.")
    wanted = {method.upper() for method in methods}
    wanted |= set(getattr(view_func, "required_methods", ()))
    if provide_automatic_options is None:
        provide_automatic_options = getattr(view_func, "provide_automatic_options", None)
    if provide_automatic_options is None:
        provide_automatic_options = "OPTIONS" not in wanted and app.config["PROVIDE_AUTOMATIC_OPTIONS"]
    if provide_automatic_options:
        wanted.add("OPTIONS")
    rule_object: Any = app.url_rule_class(rule, endpoint=endpoint, methods=wanted, **options)
    rule_object.provide_automatic_options = provide_automatic_options
    app.url_map.add(rule_object)
    if view_func is not None:
        registered = app.view_functions.get(endpoint)
        if registered is not None and registered != view_func:
            raise AssertionError(
                f"The endpoint {endpoint!r} has a view already, {registered!r}, and {view_func!r} would take its "
                "place. Give one of them another name with endpoint=..., or keep its name in the decorator "
                "(functools.wraps)."
            )
        app.view_functions[endpoint] = view_func


def add_static_route(app: Flask, static_host: str | None, host_matching: bool) -> None:
    """Register the endpoint `static`."""
    if bool(static_host) != host_matching:
        raise AssertionError(
            "With host_matching the static files need a static_host, and only then. Pass both, neither, or "
            "static_folder=None for no static files."
        )
    # the view refers to the application weakly: both can then be freed without the garbage collector
    reference = weakref.ref(app)

    def static(**values: Any) -> Any:
        application = reference()
        assert application is not None
        return application.send_static_file(**values)

    app.add_url_rule(f"{app.static_url_path}/<path:filename>", endpoint="static", host=static_host, view_func=static)


def has_blocking_converter(url_map: Map) -> bool:
    """Tell whether matching a URL may run a converter that nobody has marked `@nonblocking`."""
    converters = url_map.converters
    if converters == Map.default_converters:
        return False
    return not all(
        converter is Map.default_converters.get(name) or is_nonblocking(converter)
        for name, converter in converters.items()
    )
