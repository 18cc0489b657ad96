"""Made-up requests: werkzeug's environ builder with the application's defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import werkzeug.test

if TYPE_CHECKING:
    from ..app import Flask


class EnvironBuilder(werkzeug.test.EnvironBuilder):
    """Builds the environ of a request to `app`: host, prefix and scheme come from its configuration.

    :param app: the application that the request is for.
    :param path: the path, or a whole URL.
    :param base_url: scheme, host and prefix to use instead of the configured ones.
    :param subdomain: put before `SERVER_NAME`.
    :param url_scheme: use it instead of `PREFERRED_URL_SCHEME`.
    :param args: the rest of werkzeug's parameters.
    """

    def __init__(
        self,
        app: Flask,
        path: str = "/",
        base_url: str | None = None,
        subdomain: str | None = None,
        url_scheme: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if base_url is not None and (subdomain is not None or url_scheme is not None):
            raise TypeError('Pass either "base_url", or "subdomain" and "url_scheme": they say the same.')
        self.app = app
        if base_url is None:
            base_url, path = _configured_url(app, path, subdomain, url_scheme)
        super().__init__(path, base_url, *args, **kwargs)

    def json_dumps(self, obj: Any, **kwargs: Any) -> str:
        """Serialise `json=` with the application's JSON provider."""
        return self.app.json.dumps(obj, **kwargs)


def _configured_url(app: Flask, path: str, subdomain: str | None, url_scheme: str | None) -> tuple[str, str]:
    """Return base URL and path for a request of which only some parts are given."""
    parts = urlsplit(path)
    host = parts.netloc or app.config["SERVER_NAME"] or "localhost"
    if subdomain:
        host = f"{subdomain}.{host}"
    scheme = parts.scheme or url_scheme or app.config["PREFERRED_URL_SCHEME"]
    prefix = app.config["APPLICATION_ROOT"].lstrip("/")
    if parts.netloc or parts.scheme:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"{scheme}://{host}/{prefix}", path
