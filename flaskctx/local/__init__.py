"""Who is current: values that belong to the running thread, task or greenlet, and proxies to them."""

from __future__ import annotations

from .identity import get_ident
from .manager import LocalManager, release_local
from .namespace import Local
from .proxy import LocalProxy
from .stack import LocalStack, Node

__all__ = ["Local", "LocalManager", "LocalProxy", "LocalStack", "Node", "get_ident", "release_local"]
