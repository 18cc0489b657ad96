"""The ASGI side: scopes, messages and lifespan (https://asgi.readthedocs.io/en/latest/specs/main.html)."""

from .adapter import ASGIAdapter

__all__ = ["ASGIAdapter"]
