"""Signals sent by the lifecycle: each receiver is a user function like any other, `def` or `async def`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blinker import Signal

    from ..app import Flask
    from ..bridge import Call


async def send(call: Call, signal: Signal, app: Flask, /, **values: Any) -> None:
    """Call the receivers of a signal. Guard it with `if signal.receivers:`, which costs next to nothing."""
    if signal.is_muted:
        return
    for receiver in tuple(signal.receivers_for(app)):
        await call(receiver, app, **values)
