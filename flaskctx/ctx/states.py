"""The states of a context, and what may follow what."""

from __future__ import annotations

from typing import NoReturn


class State:
    """Where a context is in its life. Plain strings: they are compared and looked up for every request."""

    NEW = "new"
    """Made, and never pushed."""
    ACTIVE = "active"
    """Pushed at least once more than popped."""
    STREAMING = "streaming"
    """Off the stack, and alive until the body of its response is closed."""
    PRESERVED = "preserved"
    """Its request has ended; kept for a test client or a debugger."""
    CLOSED = "closed"
    """Torn down."""


NEXT: dict[tuple[str, str], str] = {
    # activation: from the outermost push to the pop that balances it
    (State.NEW, "push"): State.ACTIVE,
    (State.ACTIVE, "push"): State.ACTIVE,
    (State.CLOSED, "push"): State.ACTIVE,
    (State.ACTIVE, "pop"): State.ACTIVE,
    # how an activation ends: the teardown functions run with "close", and only then
    (State.ACTIVE, "close"): State.CLOSED,
    (State.ACTIVE, "stream"): State.STREAMING,
    (State.STREAMING, "close"): State.CLOSED,
    (State.ACTIVE, "preserve"): State.PRESERVED,
    (State.PRESERVED, "push"): State.PRESERVED,
    (State.PRESERVED, "pop"): State.PRESERVED,
    (State.PRESERVED, "preserve"): State.PRESERVED,
    (State.PRESERVED, "close"): State.CLOSED,
}

_ADVICE = {
    "push": "A context whose response is still being streamed can't be pushed; share it with carry().",
    "pop": "Push and pop a context the same number of times.",
    "close": "It has been torn down already, or was never pushed.",
}


def after(state: str, event: str, context: object) -> str:
    """Return the state that follows. Raises RuntimeError where `event` can't happen to a context in `state`."""
    return NEXT.get((state, event)) or refuse(state, event, context)


def refuse(state: str, event: str, context: object) -> NoReturn:
    """Say that `event` can't happen to a context in `state`."""
    raise RuntimeError(f"{context!r} is {state}: it can't {event}. {_ADVICE.get(event, '')}".rstrip())
