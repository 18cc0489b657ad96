"""The contexts: which application, request, session and `g` are current, and how they are carried elsewhere."""

from ..globals import _app_ctx_stack, _request_ctx_stack
from .app_context import AppContext, _AppCtxGlobals, _sentinel
from .body_context import BodyContext
from .carry import Borrowed, CarryingExecutor, carry, copy_current_request_context
from .current import after_this_request, has_app_context, has_request_context, has_websocket_context
from .request_context import RequestContext
from .states import State
from .streaming import stream_with_context

__all__ = [
    "AppContext",
    "BodyContext",
    "Borrowed",
    "CarryingExecutor",
    "RequestContext",
    "State",
    "_AppCtxGlobals",
    "_app_ctx_stack",
    "_request_ctx_stack",
    "_sentinel",
    "after_this_request",
    "carry",
    "copy_current_request_context",
    "has_app_context",
    "has_request_context",
    "has_websocket_context",
    "stream_with_context",
]
