"""What an application does around and beside its requests: start and end, background work, the loop for sync code."""

from .background import BackgroundTasks, after_response
from .lifespan import Serving
from .portal import Portal
from .run import Served, StartFailed, start_here
from .start import REFUSAL, RETRY_AFTER, start_for_asgi, start_for_wsgi

__all__ = [
    "REFUSAL",
    "RETRY_AFTER",
    "BackgroundTasks",
    "Portal",
    "Served",
    "Serving",
    "StartFailed",
    "after_response",
    "start_for_asgi",
    "start_for_wsgi",
    "start_here",
]
