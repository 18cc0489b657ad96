"""Templates: the Jinja environment, where it finds templates, and rendering them with the current context.

`render_template` serves views of both kinds: rendering is computing, not waiting. In an `async def` view
`render_template_async` awaits what can wait there: `async def` context processors and signal receivers, and
the template itself if the environment was made with `enable_async`.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from jinja2 import BaseLoader, Template, TemplateNotFound
from jinja2 import Environment as BaseEnvironment
from jinja2.runtime import new_context

from .bridge.kinds import is_async, nonblocking
from .bridge.loops import loop_is_running
from .ctx import stream_with_context
from .debughelpers import explain_template_loading_attempts
from .globals import _app_ctx_stack, _request_ctx_stack, current_app, g, request, session
from .helpers import get_flashed_messages
from .lifecycle.overrides import overridden
from .signals import before_render_template, template_rendered

if TYPE_CHECKING:
    from blinker import Signal
    from jinja2.runtime import Context

    from .app import Flask
    from .scaffold import Scaffold

F = TypeVar("F", bound=Callable[..., Any])

Source = tuple[str, str | None, Callable[[], bool] | None]
"""What a Jinja loader returns: the template's text, its file, and whether that text is still current."""

_ESCAPED_SUFFIXES = (".html", ".htm", ".xml", ".xhtml", ".svg")


# The environment


class QuickTemplate(Template):
    """A template that begins to render three times as fast as Jinja's own.

    The globals of a template are a chain, its own before the environment's. Jinja copies them name by name
    for each rendering; here they are copied map by map, to the same result.
    """

    def new_context(
        self,
        vars: dict[str, Any] | None = None,
        shared: bool = False,
        locals: Mapping[str, Any] | None = None,
    ) -> Context:
        """Return the context for one rendering; the parameters are Jinja's."""
        names = self.globals
        if type(names) is ChainMap:
            flat: dict[str, Any] = {}
            for layer in reversed(names.maps):
                flat.update(layer)
            names = flat
        return new_context(self.environment, self.name, self.blocks, vars, shared, names, locals)


class Environment(BaseEnvironment):
    """Jinja's environment, with `app` and, unless another is given, the application's loader."""

    template_class = QuickTemplate

    def __init__(self, app: Flask, **options: Any) -> None:
        if "loader" not in options:
            options["loader"] = app.create_global_jinja_loader()
        super().__init__(**options)
        self.app = app


class DispatchingJinjaLoader(BaseLoader):
    """Looks for a template in the application's folder first, then in each blueprint's."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def get_source(self, environment: BaseEnvironment, template: str) -> Source:
        """Return the first match; with `EXPLAIN_TEMPLATE_LOADING`, look everywhere and log what was found.

        :raises TemplateNotFound: no loader has it.
        """
        explain = self.app.config["EXPLAIN_TEMPLATE_LOADING"]
        attempts: list[tuple[BaseLoader, Scaffold, Source | None]] = []
        found: Source | None = None
        for owner, loader in self._iter_loaders(template):
            try:
                source = loader.get_source(environment, template)
            except TemplateNotFound:
                source = None
            if found is None:
                found = source
            if not explain and found is not None:
                break
            attempts.append((loader, owner, source))
        if explain:
            explain_template_loading_attempts(self.app, template, attempts)
        if found is None:
            raise TemplateNotFound(template)
        return found

    def _iter_loaders(self, template: str) -> Iterator[tuple[Scaffold, BaseLoader]]:
        owners: list[Scaffold] = [self.app, *self.app.iter_blueprints()]
        for owner in owners:
            loader = owner.jinja_loader
            if loader is not None:
                yield owner, loader

    def list_templates(self) -> list[str]:
        """Return the names of all templates, each once, sorted."""
        return sorted({name for _, loader in self._iter_loaders("") for name in loader.list_templates()})


def create_jinja_environment(app: Flask) -> Environment:
    """Make the environment from `app.jinja_options` and the configuration, and put Flask's names into it."""
    options = dict(app.jinja_options)
    options.setdefault("autoescape", app.select_jinja_autoescape)
    if "auto_reload" not in options:
        auto_reload = app.config["TEMPLATES_AUTO_RELOAD"]
        options["auto_reload"] = app.debug if auto_reload is None else auto_reload
    environment = app.jinja_environment(app, **options)
    # Templates that are imported without context see these; the context of a rendered one has `request` and `g`
    # themselves, from _default_template_ctx_processor.
    environment.globals.update(
        config=app.config,
        g=g,
        get_flashed_messages=get_flashed_messages,
        request=request,
        session=session,
        url_for=app.url_for,
    )

    def dumps(value: Any, **options: Any) -> str:
        # looked up at each use: `app.json` may be replaced after the environment was made
        return app.json.dumps(value, **options)

    environment.policies["json.dumps_function"] = dumps
    return environment


def select_jinja_autoescape(filename: str | None) -> bool:
    """Tell whether values in a template are HTML-escaped: by its suffix, and always without a name."""
    return filename is None or filename.endswith(_ESCAPED_SUFFIXES)


@overload
def registrar(add: Callable[[Any, str | None], None], name: str | None) -> Callable[[F], F]: ...
@overload
def registrar(add: Callable[[Any, str | None], None], name: F) -> F: ...
def registrar(add: Callable[[Any, str | None], None], name: str | F | None) -> Callable[[F], F] | F:
    """Return a decorator that registers a function with `add(function, name)`.

    :param name: the name to register under; None for the function's own. A decorator written without
        parentheses has the function itself here, which is registered at once.
    """
    if callable(name):
        add(name, None)
        return name
    chosen = name

    def register(function: F) -> F:
        add(function, chosen)
        return function

    return register


# The context of a template


@nonblocking
def _default_template_ctx_processor() -> dict[str, Any]:
    """Give templates `g`, and in a request `request`. The session isn't opened before a template uses it."""
    names: dict[str, Any] = {}
    app_context = _app_ctx_stack.top
    if app_context is not None:
        names["g"] = app_context.g
    request_context = _request_ctx_stack.top
    if request_context is not None:
        names["request"] = request_context.request
    return names


def update_template_context(app: Flask, context: dict[str, Any]) -> None:
    """Add to `context` what the context processors give; a name that it has already keeps its value.

    :raises RuntimeError: a processor is `async def` and this thread's event loop runs;
        `render_template_async` is for that.
    """
    given: dict[str, Any] = {}
    for processor in _context_processors(app):
        if is_async(processor) and loop_is_running():
            raise RuntimeError(
                f"The context processor {processor.__qualname__} is async def, and waiting for it here would stop the "
                "event loop of this thread. Use render_template_async or render_template_string_async."
            )
        given.update(app.ensure_sync(processor)())
    for name, value in given.items():
        context.setdefault(name, value)


async def update_template_context_async(app: Flask, context: dict[str, Any]) -> None:
    """Do what `update_template_context` does, and await processors that are `async def`.

    Where the application's method is overridden, that is called instead, `def` or `async def`.
    """
    if overridden(app, "update_template_context"):
        await app.ensure_async(app.update_template_context)(context)
        return
    given: dict[str, Any] = {}
    for processor in _context_processors(app):
        given.update(await app.ensure_async(processor)())
    for name, value in given.items():
        context.setdefault(name, value)


def _context_processors(app: Flask) -> list[Callable[[], Any]]:
    """Return the application's processors, then those of the request's blueprints, outermost first."""
    registered = app.template_context_processors
    processors = list(registered.get(None, ()))
    context = _request_ctx_stack.top
    if context is not None and len(registered) > 1:
        for name in reversed(context.request.blueprints):
            processors.extend(registered.get(name, ()))
    return processors


# Rendering


def render_template(template_name_or_list: str | Template | list[str | Template], **context: Any) -> str:
    """Render a template with these variables and those of the context processors.

    It isn't awaited. `async def` context processors are for `render_template_async`, or for `def` views.

    :param template_name_or_list: the template's name; of a list, the first that exists.
    :param context: the variables.
    :raises TemplateNotFound: there is no such template.
    :raises RuntimeError: no application is current.
    """
    app = current_app._get_current_object()
    return _render(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def render_template_string(source: str, **context: Any) -> str:
    """Render a template given as text. Never put values from clients into that text: pass them by name.

    :param source: the template.
    :param context: the variables.
    :raises RuntimeError: no application is current.
    """
    app = current_app._get_current_object()
    return _render(app, app.jinja_env.from_string(source), context)


async def render_template_async(template_name_or_list: str | Template | list[str | Template], **context: Any) -> str:
    """Do what `render_template` does, for `async def` views whose context processors may be `async def`.

    `def` processors run on the request's worker thread, unless they are marked `nonblocking`.

    :param template_name_or_list: the template's name; of a list, the first that exists.
    :param context: the variables.
    :raises TemplateNotFound: there is no such template.
    :raises RuntimeError: no application is current.
    """
    app = current_app._get_current_object()
    return await _render_async(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


async def render_template_string_async(source: str, **context: Any) -> str:
    """Do what `render_template_string` does, for `async def` views; see `render_template_async`.

    :param source: the template.
    :param context: the variables.
    :raises RuntimeError: no application is current.
    """
    app = current_app._get_current_object()
    return await _render_async(app, app.jinja_env.from_string(source), context)


def stream_template(template_name_or_list: str | Template | list[str | Template], **context: Any) -> Iterator[str]:
    """Render a template piece by piece; in a request, its context stays until the last one.

    :param template_name_or_list: the template's name; of a list, the first that exists.
    :param context: the variables.
    :returns: an iterator; a view that returns it sends the page while it is made.
    :raises TemplateNotFound: there is no such template.
    :raises RuntimeError: no application is current.
    """
    app = current_app._get_current_object()
    return _stream(app, app.jinja_env.get_or_select_template(template_name_or_list), context)


def stream_template_string(source: str, **context: Any) -> Iterator[str]:
    """Do what `stream_template` does, for a template given as text.

    :param source: the template.
    :param context: the variables.
    :raises RuntimeError: no application is current.
    """
    app = current_app._get_current_object()
    return _stream(app, app.jinja_env.from_string(source), context)


def _render(app: Flask, template: Template, context: dict[str, Any]) -> str:
    app.update_template_context(context)
    _send(before_render_template, app, template, context)
    if template.environment.is_async:
        # Jinja's own render() would start an event loop of its own
        page: str = app.ensure_sync(template.render_async)(context)
    else:
        page = template.render(context)
    _send(template_rendered, app, template, context)
    return page


async def _render_async(app: Flask, template: Template, context: dict[str, Any]) -> str:
    await update_template_context_async(app, context)
    await _send_async(before_render_template, app, template, context)
    if template.environment.is_async:
        page = await template.render_async(context)
    else:
        page = template.render(context)
    await _send_async(template_rendered, app, template, context)
    return page


def _stream(app: Flask, template: Template, context: dict[str, Any]) -> Iterator[str]:
    app.update_template_context(context)
    _send(before_render_template, app, template, context)
    pieces = _pieces(app, template, context)
    return pieces if _request_ctx_stack.top is None else stream_with_context(pieces)


def _pieces(app: Flask, template: Template, context: dict[str, Any]) -> Iterator[str]:
    if template.environment.is_async:
        # as with Jinja's own generate(), which would start an event loop: complete before the first piece
        yield from app.ensure_sync(_all_pieces)(template, context)
    else:
        yield from template.generate(context)
    _send(template_rendered, app, template, context)


async def _all_pieces(template: Template, context: dict[str, Any]) -> list[str]:
    return [piece async for piece in template.generate_async(context)]


def _send(signal: Signal, app: Flask, template: Template, context: dict[str, Any]) -> None:
    if signal.receivers:
        signal.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)


async def _send_async(signal: Signal, app: Flask, template: Template, context: dict[str, Any]) -> None:
    if signal.receivers:
        ensure_async: Any = app.ensure_async  # gives awaitables; blinker's types ask for coroutines
        await signal.send_async(app, _sync_wrapper=ensure_async, template=template, context=context)
