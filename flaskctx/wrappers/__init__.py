"""What came in and what goes out: Request, Response, and the ways between views, responses and servers."""

from __future__ import annotations

from werkzeug.wrappers import Request as RequestBase
from werkzeug.wrappers import Response as ResponseBase

from .coerce import make_response, needs_calling
from .event_stream import HEARTBEAT, EventStream, ServerSentEvent, heartbeat_of, is_event_stream
from .request import Request, TimeLimitExceeded
from .response import Response
from .start import (
    has_no_body,
    may_block_at_start,
    overrides_call,
    overrides_start,
    response_start,
    starts_from_text,
    take_close_functions,
    text_start,
)

__all__ = [
    "HEARTBEAT",
    "EventStream",
    "Request",
    "RequestBase",
    "Response",
    "ResponseBase",
    "ServerSentEvent",
    "TimeLimitExceeded",
    "has_no_body",
    "heartbeat_of",
    "is_event_stream",
    "make_response",
    "may_block_at_start",
    "needs_calling",
    "overrides_call",
    "overrides_start",
    "response_start",
    "starts_from_text",
    "take_close_functions",
    "text_start",
]
