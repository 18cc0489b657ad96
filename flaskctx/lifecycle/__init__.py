"""What happens to a request, and in which order. Start reading at `steps.py`."""

from .end import end_stream
from .errors import propagates
from .overrides import NATIVE, has_no_middleware, is_plain, overridden, save_originals
from .steps import serve

__all__ = [
    "NATIVE",
    "end_stream",
    "has_no_middleware",
    "is_plain",
    "overridden",
    "propagates",
    "save_originals",
    "serve",
]
