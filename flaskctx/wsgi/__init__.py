"""The WSGI side: from an environ to an iterable of bytes (PEP 3333)."""

from .entry import serve_mounted, serve_wsgi

__all__ = ["serve_mounted", "serve_wsgi"]
