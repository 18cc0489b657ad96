"""What happens to a request, and in which order. Start reading at `steps.py`."""

from .end import end_stream
from .errors import log_of_left_request, propagates
from .overrides import NATIVE, overridden, save_originals, untouched
from .steps import serve

__all__ = [
    "NATIVE",
    "end_stream",
    "log_of_left_request",
    "overridden",
    "propagates",
    "save_originals",
    "serve",
    "untouched",
]
