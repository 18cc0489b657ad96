"""Flask's API on contextvars: one application for WSGI and ASGI, `def` and `async def` in any mix.

    from flaskctx import Flask, request

    app = Flask(__name__)

    @app.get("/")
    async def index():
        return f"Hello, {request.args.get('name', 'world')}!"

In a file hello.py, `uvicorn hello:app.asgi` serves it over ASGI, `gunicorn hello:app` over WSGI, and `flaskctx --app
hello run` while it is written. Start with `Flask`, whose methods register views and hooks. `request`, `session`, `g`,
`current_app` and `websocket` stand for what is current, and raise a RuntimeError that says what to do where nothing is.
"""

from markupsafe import Markup, escape

from . import cli as cli
from . import json, signals
from . import typing as typing
from .app import Flask
from .blueprints import Blueprint
from .bridge import nonblocking
from .compat import install_as_flask
from .concurrency import run_in_thread
from .config import Config
from .ctx import (
    CarryingExecutor,
    after_this_request,
    carry,
    copy_current_request_context,
    has_app_context,
    has_request_context,
    has_websocket_context,
    stream_with_context,
)
from .globals import _app_ctx_stack, _request_ctx_stack, current_app, g, request, session, websocket
from .helpers import (
    abort,
    flash,
    get_flashed_messages,
    get_template_attribute,
    make_response,
    redirect,
    safe_join,
    send_file,
    send_from_directory,
    url_for,
)
from .json import jsonify
from .serving import after_response
from .signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    before_render_template,
    got_background_exception,
    got_request_exception,
    message_flashed,
    request_finished,
    request_started,
    request_tearing_down,
    signals_available,
    template_rendered,
)
from .templating import (
    render_template,
    render_template_async,
    render_template_string,
    render_template_string_async,
    stream_template,
    stream_template_string,
)
from .websockets import Websocket, WebsocketDisconnect
from .wrappers import EventStream, Request, Response, ServerSentEvent

__version__ = "0.1.0"

__all__ = [
    "Blueprint",
    "CarryingExecutor",
    "Config",
    "EventStream",
    "Flask",
    "Markup",
    "Request",
    "Response",
    "ServerSentEvent",
    "Websocket",
    "WebsocketDisconnect",
    "__version__",
    "_app_ctx_stack",
    "_request_ctx_stack",
    "abort",
    "after_response",
    "after_this_request",
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "before_render_template",
    "carry",
    "copy_current_request_context",
    "current_app",
    "escape",
    "flash",
    "g",
    "get_flashed_messages",
    "get_template_attribute",
    "got_background_exception",
    "got_request_exception",
    "has_app_context",
    "has_request_context",
    "has_websocket_context",
    "install_as_flask",
    "json",
    "jsonify",
    "make_response",
    "message_flashed",
    "nonblocking",
    "redirect",
    "render_template",
    "render_template_async",
    "render_template_string",
    "render_template_string_async",
    "request",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "run_in_thread",
    "safe_join",
    "send_file",
    "send_from_directory",
    "session",
    "signals",
    "signals_available",
    "stream_template",
    "stream_template_string",
    "stream_with_context",
    "template_rendered",
    "url_for",
    "websocket",
]
