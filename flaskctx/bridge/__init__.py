"""Where a function runs: inline, on an event loop, or in a worker thread beside it."""

from .call import Call, drive, limited, original
from .here import awaitable_call, call_here
from .in_worker import InWorker
from .inline import Inline, Refusing
from .kinds import check_callable, is_async, nonblocking
from .on_loop import HouseIsFull, OnLoop
from .portal import portal
from .pump import Pump
from .shelter import Shelter
from .standing import bound
from .threads import PoolOnDemand, Seat, WorkerPool, WorkerSeat
from .wrapped_view import as_the_view

__all__ = [
    "Call",
    "HouseIsFull",
    "InWorker",
    "Inline",
    "OnLoop",
    "PoolOnDemand",
    "Pump",
    "Refusing",
    "Seat",
    "Shelter",
    "WorkerPool",
    "WorkerSeat",
    "as_the_view",
    "awaitable_call",
    "bound",
    "call_here",
    "check_callable",
    "drive",
    "is_async",
    "limited",
    "nonblocking",
    "original",
    "portal",
]
