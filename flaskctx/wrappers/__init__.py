"""What came in and what goes out: Request, Response, and the ways between views, responses and servers."""

from __future__ import annotations

from .coerce import make_response, needs_calling
from .request import Request
from .response import Response
from .start import has_no_body, overrides_call, overrides_start, response_start

__all__ = [
    "Request",
    "Response",
    "has_no_body",
    "make_response",
    "needs_calling",
    "overrides_call",
    "overrides_start",
    "response_start",
]
