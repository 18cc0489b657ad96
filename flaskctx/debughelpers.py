"""Explanations for common mistakes: exceptions, notes and log lines."""

from __future__ import annotations

import inspect
import sys
import traceback
from typing import TYPE_CHECKING, Any

from werkzeug.routing import RequestRedirect

from .globals import _request_ctx_stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from jinja2 import BaseLoader

    from .app import Flask
    from .wrappers import Request


def explain(error: BaseException) -> None:
    """Add a note to an error that others raise, and that says too little where flaskctx is what they meet."""
    note = _note_on(error)
    if note is not None and note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def _note_on(error: BaseException) -> str | None:
    text = str(error)
    if isinstance(error, RuntimeError):
        if text == "no running event loop":
            return (
                "asyncio has no loop here: this is a `def` function, which runs in a thread, or the server runs trio."
                " From a `def` function, app.portal.run(f, ...) or app.portal.start(f, ...) calls an async one; on trio"
                " use trio or anyio in asyncio's place."
            )
        if text.startswith("Working outside of ") and _raised_by_werkzeugs_proxy(error):
            return (
                "A request of flaskctx is being handled: this `request`, `current_app`, `g` or `session` is another"
                " framework's, Flask's own most likely. Import it from flaskctx. Where an extension imports flask, let"
                " flaskctx stand in for it: start the server with FLASKCTX_AS_FLASK=1 in the environment."
            )
    elif isinstance(error, TypeError) and text.endswith(("can't be used in 'await' expression", "can't be awaited")):
        return (
            "In flaskctx request.form, request.get_json(), render_template(), make_response(), ... give values, also in"
            " `async def` functions, where Quart gives coroutines. Leave out the await."
        )
    elif type(error).__module__ == "sqlite3" and text.startswith("SQLite objects created in a thread"):
        return (
            "An `async def` function runs on the event loop, the request's `def` functions (teardown functions, too)"
            " on a thread of theirs. Use the connection in `def` functions only; an `async def` one calls them by"
            " `await current_app.ensure_async(function)(...)`."
        )
    return None


def _raised_by_werkzeugs_proxy(error: BaseException) -> bool:
    """Tell whether it is the error of a proxy of Flask's own, or Quart's: it knows no context of ours."""
    raised_in = [frame.f_globals.get("__name__") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return raised_in[-1:] == ["werkzeug.local"]


def warn_of_flask_itself(app: Flask) -> None:
    """Log which function of the application uses Flask's own proxies, if one does: one of an extension, most often.

    Called once, before the first request, and looks no further where Flask itself has not been imported.
    """
    flask: Any = sys.modules.get("flask.globals")
    if flask is None or flask.__name__ != "flask.globals":  # or flaskctx stands in for it
        return
    foreign = {id(vars(flask)[name]) for name in ("request", "session", "g", "current_app")}
    for function in _registered(app):
        names = getattr(inspect.unwrap(function), "__globals__", {})
        if any(id(value) in foreign for value in names.values()):
            app.logger.warning(
                "%s.%s, which %r calls, belongs to a module that imports request, session, g or current_app from Flask"
                " itself: they know nothing of a request of flaskctx. Import them from flaskctx; where an extension"
                " imports flask, start the server with FLASKCTX_AS_FLASK=1 in the environment.",
                names.get("__name__"),
                getattr(function, "__qualname__", function),
                app,
            )
            return


def _registered(app: Flask) -> Iterator[Any]:
    yield from app.view_functions.values()
    yield from app.teardown_appcontext_funcs
    for registry in (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs):
        for functions in registry.values():
            yield from functions


class UnexpectedUnicodeError(AssertionError, UnicodeError):
    """Text and bytes were mixed, and the plain UnicodeError wouldn't say where."""


class DebugFilesKeyError(KeyError, AssertionError):
    """`request.files` was asked for a file that the browser sent as an ordinary form field.

    :param request: the request that has no files.
    :param key: the name that was looked up.
    """

    def __init__(self, request: Request, key: str) -> None:
        super().__init__(key)
        lines = [
            f"There is no file {key!r} in request.files: the body is {request.mimetype!r}, and only"
            ' "multipart/form-data" carries files. Give the HTML form the attribute'
            ' enctype="multipart/form-data".'
        ]
        sent_as_text = request.form.getlist(key)
        if sent_as_text:
            names = ", ".join(map(repr, sent_as_text))
            lines.append(f"The browser sent nothing but the file's name: {names}.")
        self.msg = "\n".join(lines)

    def __str__(self) -> str:
        return self.msg


class FormDataRoutingRedirect(AssertionError):
    """A redirect to the canonical URL would make the browser drop the body it is sending.

    :param request: the request whose routing ended in that redirect.
    """

    def __init__(self, request: Request) -> None:
        redirect = request.routing_exception
        assert isinstance(redirect, RequestRedirect), redirect
        here, there = request.base_url, redirect.new_url.partition("?")[0]
        difference = " The rule ends with a slash, the request's URL doesn't." if there == here + "/" else ""
        super().__init__(
            f"A {request.method} request came to {request.url!r}, and the URL map redirects it to"
            f" {redirect.new_url!r}.{difference} Browsers repeat a redirected request without its body, or as"
            f" GET. Send the {request.method} to the new URL in the first place. (Shown in debug mode only;"
            " otherwise the redirect is sent.)"
        )


def attach_enctype_error_multidict(request: Request) -> None:
    """Make `request.files[key]` explain itself where `key` is a form field: see `DebugFilesKeyError`.

    The class of the dictionary is swapped for a subclass of it, so all else stays as it was.

    :param request: a request whose form is parsed.
    """
    plain: Any = type(request.files)

    class ExplainingFiles(plain):  # type: ignore[misc]
        def __getitem__(self, key: str) -> Any:
            try:
                return super().__getitem__(key)
            except KeyError as missing:
                if key in request.form:
                    raise DebugFilesKeyError(request, key).with_traceback(missing.__traceback__) from None
                raise

    ExplainingFiles.__name__ = plain.__name__
    ExplainingFiles.__qualname__ = plain.__qualname__
    ExplainingFiles.__module__ = plain.__module__
    request.files.__class__ = ExplainingFiles


def explain_template_loading_attempts(
    app: Flask, template: str, attempts: Sequence[tuple[BaseLoader, Any, tuple[Any, ...] | None]]
) -> None:
    """Log which loaders were asked for a template, in their order, and what each of them answered.

    :param app: its logger is written to, at level INFO.
    :param template: the name that was looked for.
    :param attempts: for each loader that was asked: the loader, the application or blueprint it belongs to,
        and what `get_source` returned, None where it had no such template.
    """
    lines = [f"Looking for template {template!r}:"]
    hits = 0
    for number, (loader, owner, source) in enumerate(attempts, 1):
        lines.append(f"  {number}. {_describe_owner(owner)}, loader {_class_path(loader)}")
        lines += [f"       {line}" for line in _describe_settings(loader)]
        if source is None:
            lines.append("       -> not here")
            continue
        hits += 1
        place = source[1] if source[1] is not None else "(a source without a file)"
        lines.append(f"       -> {place}" + ("" if hits == 1 else " (hidden by the one found before)"))

    if hits == 0:
        lines.append("No loader has it.")
    elif hits > 1:
        lines.append(f"{hits} loaders have it; the first one is used. Is that the one you mean?")
    if hits != 1:
        lines += _blueprint_hint()
    app.logger.info("\n".join(lines))


def _describe_owner(owner: Any) -> str:
    # applications and blueprints live above this module, so they are told apart by what only one of them has
    import_name = getattr(owner, "import_name", None)
    if import_name is None:
        return repr(owner)
    if hasattr(owner, "url_map"):
        return f"application {import_name!r}"
    return f"blueprint {owner.name!r} ({import_name})"


def _class_path(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def _describe_settings(loader: BaseLoader) -> Iterable[str]:
    """Yield `name: value` for the loader's public settings that read well: text, numbers, lists of text."""
    for name, value in sorted(vars(loader).items()):
        if name.startswith("_"):
            continue
        if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
            yield f"{name}:"
            yield from (f"  - {item}" for item in value)
        elif isinstance(value, (str, int, float)):
            yield f"{name}: {value!r}"


def _blueprint_hint() -> Iterable[str]:
    context = _request_ctx_stack.top
    blueprint = None if context is None else context.request.blueprint
    if blueprint is not None:
        yield (
            f"The request was routed to blueprint {blueprint!r}. A blueprint has its own templates only if"
            " it was made with template_folder=..., and those of the application come before them."
        )
