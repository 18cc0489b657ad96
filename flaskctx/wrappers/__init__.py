"""What came in and what goes out: Request, Response, and the ways between views, responses and servers."""

from __future__ import annotations

from werkzeug.wrappers import Request as RequestBase
from werkzeug.wrappers import Response as ResponseBase

from .coerce import make_response, needs_calling
from .request import Request, TimeLimitExceeded
from .response import Response
from .start import (
    has_no_body,
    may_block_at_start,
    overrides_call,
    overrides_start,
    response_start,
    take_close_functions,
)

__all__ = [
    "Request",
    "RequestBase",
    "Response",
    "ResponseBase",
    "TimeLimitExceeded",
    "has_no_body",
    "make_response",
    "may_block_at_start",
    "needs_calling",
    "overrides_call",
    "overrides_start",
    "response_start",
    "take_close_functions",
]
