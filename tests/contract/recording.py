"""The event log of a scenario: what was called with what, in which order, and which contexts were current then.

The same log is kept for Flask and for flaskctx. A line such as

    before app () <1 app /path>

says: the function noted as "before app" was called without arguments, one application context was pushed, the
current application was "app" and the current request was for "/path".
"""

from __future__ import annotations

import contextlib
import functools
import logging

import anyio
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

SIGNALS = (
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "before_render_template",
    "got_request_exception",
    "message_flashed",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "template_rendered",
)

SENT_BY_HELPERS = ("before_render_template", "message_flashed", "template_rendered")
"""Sent by functions that `async def` views call without awaiting them: there the receivers have to be `def`."""


class Boom(Exception):
    """What the functions of a scenario raise."""


class Log:
    """Keeps the lines; makes functions that write them.

    :param framework: the module `flask` or the module `flaskctx`.
    :param is_async: whether the functions made by `on` are `async def`.
    :param watches: whether signals are received (and with them the depth known); what is sent to nobody may take
        other ways through the code.
    """

    def __init__(self, framework, is_async=False, watches=True):
        self.framework = framework
        self.is_async = is_async
        self.watches = watches
        self.lines = []
        self.depth = 0

    def __call__(self, event, *values):
        """Note an event, with these values, as it happened."""
        self.lines.append(" ".join([event, *map(describe, values), f"<{self.contexts()}>"]))

    def contexts(self):
        """Return what is current here; an empty string where nothing is."""
        framework = self.framework
        depth = [str(self.depth)] if self.watches and self.depth else []
        app = [framework.current_app.name] if framework.has_app_context() else []
        path = [framework.request.path] if framework.has_request_context() else []
        return " ".join(depth + app + path)

    # Functions that are noted

    def on(self, name, function=lambda *args, **kwargs: None):
        """Return `function` as one that notes its call; `def` or `async def`, whichever the scenario is run with."""
        return self.on_async(name, function) if self.is_async else self.on_def(name, function)

    def on_def(self, name, function=lambda *args, **kwargs: None):
        """Return `function` as a `def` function that notes its call, for what Flask wants to be `def`."""

        def noted(*args, **kwargs):
            self(f"{name} ({describe_arguments(args, kwargs)})")
            return function(*args, **kwargs)

        noted.__name__ = name.replace(" ", "_")
        return noted

    def on_async(self, name, function=lambda *args, **kwargs: None):
        """Return `function` as an `async def` function that notes its call."""
        noted = self.on_def(name, function)

        @functools.wraps(noted)
        async def awaited(*args, **kwargs):
            await anyio.sleep(0)
            return noted(*args, **kwargs)

        return awaited

    def chunks(self, *chunks):
        """Generate these chunks, noting each step, and the end or the closing of the generator."""
        try:
            for chunk in chunks:
                self(f"chunk {chunk!r}")
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
        finally:
            self("generator closed")

    # What is noted without being asked for

    @contextlib.contextmanager
    def listening(self, app):
        """Note signals and log records in this block; without `watches`, the records alone."""
        handler = _Handler(self)
        with contextlib.ExitStack() as connected:
            for name in SIGNALS if self.watches else ():
                connected.enter_context(getattr(self.framework, name).connected_to(self._receiver(name)))
            app.logger.handlers[:] = [handler]
            app.logger.propagate = False
            try:
                yield
            finally:
                app.logger.handlers.clear()
                app.logger.propagate = True

    def _receiver(self, name):
        def receive(sender, **values):
            self.depth += {"appcontext_pushed": 1}.get(name, 0)
            if "context" in values:
                values["context"] = sorted(values["context"])
            self(f"signal {name} ({describe_arguments([sender], values)})")
            self.depth -= {"appcontext_popped": 1}.get(name, 0)

        if not self.is_async or name in SENT_BY_HELPERS:
            return receive

        async def awaited(sender, **values):
            receive(sender, **values)

        return awaited


class _Handler(logging.Handler):
    def __init__(self, log):
        super().__init__()
        self._log = log

    def emit(self, record):
        self._log(f"logged {record.levelname}", *(record.exc_info or ())[1:2])


def recording_sessions(framework, log):
    """Return a session interface that notes when it opens and saves sessions."""

    class RecordingSessions(framework.sessions.SecureCookieSessionInterface):
        def open_session(self, app, request):
            log("open session")
            return super().open_session(app, request)

        def save_session(self, app, session, response):
            log("save session", response)
            super().save_session(app, session, response)

    return RecordingSessions()


def passing(*args):
    """Return the last argument, as after hooks do."""
    return args[-1]


def raising(error):
    """Return a function that raises this error."""

    def function(*args, **kwargs):
        raise error

    return function


def describe_arguments(args, kwargs):
    """Return the arguments of a call as text that is the same for both frameworks."""
    named = (f"{name}={describe(value)}" for name, value in sorted(kwargs.items()))
    return ", ".join([*map(describe, args), *named])


def describe(value):
    """Return a value as text that is the same for both frameworks; an error of the framework's without its message."""
    match value:
        case HTTPException(code=code) if code is not None:
            return f"{code} {value.name}"
        case Boom():
            return f"Boom({value})"
        case BaseException():
            return type(value).__name__
        case Response():
            return value.status
        case {"wsgi.input": _}:
            return "environ"
        case dict():
            return str({key: describe(item) for key, item in sorted(value.items())})
        case list() | tuple():
            return f"{type(value).__name__}({', '.join(map(describe, value))})"
        case str() | bytes() | int() | float() | None:
            return repr(value)
        case type():
            return value.__name__
        case _:
            return str(getattr(value, "name", "callable" if callable(value) else type(value).__name__))
