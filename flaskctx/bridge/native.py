"""Threads and locks of the operating system, also where gevent has replaced them by its own."""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable
from typing import Any

from .mailbox import gevent_patches_threads


def start_native_thread(target: Callable[[], None], name: str) -> threading.Thread | None:
    """Start a daemon thread of the operating system; return it where it is not hidden from gevent."""
    if gevent_patches_threads():
        native("start_new_thread")(_run_beside_gevent, (target,))
        return None
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


def native(name: str) -> Any:
    """Return a function of the module `_thread`, the original one where gevent has replaced it.

    Looked up at each use: `gunicorn --preload` patches after this module was imported.
    """
    monkey = sys.modules.get("gevent.monkey")
    return getattr(_thread, name) if monkey is None else monkey.get_original("_thread", name)


def _run_beside_gevent(target: Callable[[], None]) -> None:
    try:
        target()
    finally:
        # a `target` that used anything of gevent's, a patched `time.sleep` say, has given this thread a hub
        hub = sys.modules["gevent._hub_local"].get_hub_if_exists()
        if hub is not None:
            hub.destroy(destroy_loop=True)
