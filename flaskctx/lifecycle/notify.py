"""Signals sent by the lifecycle: each receiver is a user function like any other, `def` or `async def`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .failures import worst

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from blinker import Signal

    from ..app import Flask


async def send(call: Callable[..., Awaitable[Any]], signal: Signal, app: Flask, /, **values: Any) -> None:
    """Call the receivers of a signal, all of them, and then raise what the first one that failed has raised.

    Guard it with `if signal.receivers:`, which costs next to nothing.

    :param call: the bridge's call, or, for the signals of an end, its `shielded`.
    """
    if signal.is_muted:
        return
    failure: BaseException | None = None
    for receiver in tuple(signal.receivers_for(app)):
        try:
            await call(receiver, app, **values)
        except BaseException as error:
            failure = worst(app, failure, error)
    if failure is not None:
        raise failure
