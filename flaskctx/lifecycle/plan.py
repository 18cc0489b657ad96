"""What a request will call, in order: to show it, and to refuse in time what can't be called here.

Each generator below stands for the step of its name and follows it (steps.py, request_context.py, app_context.py,
teardown.py): it names the steps that this step leads to, and the functions of the user that it calls itself. All is
read from the live registries; nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ..bridge import is_async
from ..bridge.inline import refusal
from ..sessions.cookie import opens_on_demand
from ..signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    got_request_exception,
    request_finished,
    request_started,
    request_tearing_down,
)
from .overrides import overridden, override_of, untouched

if TYPE_CHECKING:
    from blinker import NamedSignal

    from ..app import Flask
    from ..bridge import Refusing

_LEAVING = 'await context.__aexit__(None, None, None), or enter it with "async with" in the first place'

ADVICE = {
    "enter_app_context": "async with app.app_context(): ...",
    "enter_request_context": "async with app.test_request_context(...): ... (or app.request_context(environ))",
    "leave_app_context": _LEAVING,
    "leave_request_context": _LEAVING,
    "auto_pop": _LEAVING,
}
"""The awaitable form of steps that are more than one call."""

FIRST = "first request"
BODY = "request with a body"
SESSION = "session in use"
ACCEPTED = "when it is accepted"


class Planned(NamedTuple):
    """One call that the lifecycle makes on behalf of a request."""

    step: str
    """What it is called as: `before_request`, `view`; with the name of the blueprint that it belongs to, if any."""
    function: Callable[..., Any] | None = None
    """None: the server's own function that receives the body."""
    overrides: bool = False
    """Whether it takes the place of the lifecycle's step."""
    depth: int = 0
    """How many overrides it stands in: it is called if they call `super()`."""
    when: str = ""
    """What has to be the case; nothing: it is called for each request."""


class Step(NamedTuple):
    """A step that a step leads to: its name, and the context that it is a step of."""

    name: str
    context: Any
    when: str = ""


def plan_of(context: Any, middleware: Callable[..., Any] | None = None) -> list[Planned]:
    """Return all that serving a request calls, in the order in which it happens if nothing fails.

    :param context: a request context whose `request.url_rule` is set; it isn't pushed.
    :param middleware: the application's own `wsgi_app`, in which everything happens.
    """
    if middleware is None:
        return list(_calls("serve", context))
    return [Planned("wsgi_app", middleware, overrides=True), *_calls("serve", context, depth=1)]


def plan_of_errors(context: Any) -> list[Planned]:
    """Return what is called in addition if something fails: error handlers in the order of precedence, and the rest."""
    return list(_calls("fail", context))


def refuse_async(call: Refusing, name: str, context: Any) -> None:
    """Raise RuntimeError if a sync name, called where a loop runs, would meet an `async def` function.

    The check is made on entry: a context that could not be left again is not entered.
    """
    for step in dict.fromkeys((name, name.replace("enter_", "leave_"))):
        for planned in _calls(step, context):
            # what stands in an override is that one's business
            if planned.function is not None and not planned.depth and is_async(planned.function):
                raise RuntimeError(refusal(planned.function, call.advice))


def _calls(name: str, context: Any, depth: int = 0, when: str = "") -> Iterator[Planned]:
    for item in STEPS.get(name, _nothing)(context):
        when_it_is = item.when or when
        if isinstance(item, Planned):
            yield item._replace(depth=depth, when=when_it_is)
            continue
        override = override_of(item.context, item.name)
        if override is not None:
            yield Planned(item.name, override, overrides=True, depth=depth, when=when_it_is)
        yield from _calls(item.name, item.context, depth + (override is not None), when_it_is)


# -- the steps -------------------------------------------------------------------------------------------------


def _serve(context: Any) -> Iterator[Step]:
    yield Step("request_context", context)
    yield Step("enter_request_context", context)
    yield Step("full_dispatch_request", context)
    yield Step("auto_pop", context)


def _request_context(context: Any) -> Iterator[Planned]:
    yield from _if_overridden(context.app, "create_url_adapter")


def _enter_app_context(context: Any) -> Iterator[Planned]:
    yield from _receivers(appcontext_pushed, context.app)


def _leave_app_context(context: Any) -> Iterator[Planned | Step]:
    yield Step("do_teardown_appcontext", context)
    yield from _receivers(appcontext_popped, context.app)


def _do_teardown_appcontext(context: Any) -> Iterator[Planned]:
    app: Flask = context.app
    for function in reversed(app.teardown_appcontext_funcs):
        yield Planned("teardown_appcontext", function)
    yield from _receivers(appcontext_tearing_down, app)


def _enter_request_context(context: Any) -> Iterator[Planned | Step]:
    app: Flask = context.app
    yield Step("enter_app_context", app.app_context())
    yield Step("open_session", context)
    yield from _if_overridden(app, "make_null_session", "no session")
    if overridden(context, "match_request"):
        yield Planned("match_request", context.match_request, overrides=True)
    elif app._has_blocking_converter():
        yield Planned("URL converters", context.match_request)


def _open_session(context: Any) -> Iterator[Planned]:
    yield Planned("open_session", context.app.session_interface.open_session, when=_session_condition(context))


def _full_dispatch_request(context: Any) -> Iterator[Planned | Step]:
    app: Flask = context.app
    rule: Any = context.request.url_rule
    yield Step("try_trigger_before_first_request_functions", context)
    yield from _receivers(request_started, app)
    yield Step("preprocess_request", context)
    if rule is not None and not getattr(rule, "stream", False) and rule.methods and rule.methods - _WITHOUT_BODY:
        yield Planned("receive the body", when=BODY)
    yield Step("dispatch_request", context)
    yield Step("finalize_request", context, ACCEPTED if _is_websocket(rule) else "")


def _try_trigger_before_first_request_functions(context: Any) -> Iterator[Planned]:
    app: Flask = context.app
    if not app._got_first_request:
        for function in app.before_first_request_funcs:
            yield Planned("before_first_request", function, when=FIRST)


def _preprocess_request(context: Any) -> Iterator[Planned]:
    app: Flask = context.app
    names = (None, *reversed(context.request.blueprints))
    yield from _hooks("url_value_preprocessor", app.url_value_preprocessors, names)
    yield from _hooks("before_request", app.before_request_funcs, names)


def _dispatch_request(context: Any) -> Iterator[Planned]:
    view = context.app.view_functions.get(context.request.endpoint)
    if view is not None:
        yield Planned("view", view)


def _finalize_request(context: Any) -> Iterator[Planned | Step]:
    yield from _if_overridden(context.app, "make_response")
    yield Step("process_response", context)
    yield from _receivers(request_finished, context.app)


def _process_response(context: Any) -> Iterator[Planned | Step]:
    for function in context._after_functions or ():
        yield Planned("after_this_request", function)
    yield from _hooks("after_request", context.app.after_request_funcs, (*context.request.blueprints, None), reversed)
    yield Step("save_session", context)


def _save_session(context: Any) -> Iterator[Planned]:
    yield Planned("save_session", context.app.session_interface.save_session, when=_session_condition(context))


def _auto_pop(context: Any) -> Iterator[Step]:
    yield Step("leave_request_context", context)


def _leave_request_context(context: Any) -> Iterator[Planned | Step]:
    yield Step("do_teardown_request", context)
    if overridden(context.request, "close"):
        yield Planned("request.close", context.request.close, overrides=True)
    yield Step("leave_app_context", context.app.app_context())


def _do_teardown_request(context: Any) -> Iterator[Planned]:
    names = (*context.request.blueprints, None)
    yield from _hooks("teardown_request", context.app.teardown_request_funcs, names, reversed)
    yield from _receivers(request_tearing_down, context.app)


def _fail(context: Any) -> Iterator[Planned]:
    app: Flask = context.app
    for name in ("handle_user_exception", "handle_http_exception"):
        yield from _if_overridden(app, name)
    owners = (*context.request.blueprints, None)
    for has_code in (True, False):
        for owner in owners:
            for code, handlers in app.error_handler_spec.get(owner, {}).items():
                if (code is not None) is has_code:
                    for error, handler in handlers.items():
                        yield Planned(_of(f"errorhandler {code or error.__name__}", owner), handler)
    unhandled = "nothing has handled it"
    yield from _if_overridden(app, "handle_exception", unhandled)
    for receiver in _receivers(got_request_exception, app):
        yield receiver._replace(when=unhandled)
    yield from _if_overridden(app, "log_exception", unhandled)
    yield from _if_overridden(app, "should_ignore_error", unhandled)


STEPS: dict[str, Callable[[Any], Iterable[Planned | Step]]] = {
    step.__name__[1:]: step
    for step in (
        _serve, _request_context, _enter_app_context, _leave_app_context, _do_teardown_appcontext,
        _enter_request_context, _open_session, _full_dispatch_request, _try_trigger_before_first_request_functions,
        _preprocess_request, _dispatch_request, _finalize_request, _process_response, _save_session, _auto_pop,
        _leave_request_context, _do_teardown_request, _fail,
    )
}  # fmt: skip

_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def _nothing(context: Any) -> Iterable[Planned]:
    return ()


def _hooks(
    step: str, registry: dict[Any, list[Any]], names: Iterable[Any], order: Callable[[list[Any]], Iterable[Any]] = iter
) -> Iterator[Planned]:
    for name in names:
        for function in order(registry.get(name, [])):
            yield Planned(_of(step, name), function)


def _receivers(signal: NamedSignal, app: Flask) -> Iterator[Planned]:
    for receiver in signal.receivers_for(app):
        yield Planned(f"signal {signal.name.replace('-', '_')}", receiver)


def _session_condition(context: Any) -> str:
    app: Flask = context.app
    plain = untouched.steps(app) and not _is_websocket(context.request.url_rule)
    return SESSION if plain and opens_on_demand(app.session_interface) else ""


def _is_websocket(rule: Any) -> bool:
    return rule is not None and bool(rule.websocket)


def _if_overridden(app: Flask, name: str, when: str = "") -> Iterator[Planned]:
    if overridden(app, name):
        yield Planned(name, getattr(app, name), overrides=True, when=when)


def _of(step: str, blueprint: str | None) -> str:
    return step if blueprint is None else f"{step} of {blueprint}"
