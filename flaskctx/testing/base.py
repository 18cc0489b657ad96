"""What both test clients share: requests with the application's defaults, cookies, session transactions."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

import werkzeug.test
from werkzeug.wrappers import Request as BaseRequest

from .builder import EnvironBuilder
from .session import SessionTransaction
from .websocket import ClientWebsocket

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers
    from werkzeug.test import TestResponse

    from ..app import Flask


class ApplicationClient(werkzeug.test.Client):
    """werkzeug's test client with the defaults of an application; how a request is sent is up to its subclasses."""

    application: Flask

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.environ_base: dict[str, Any] = {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": f"Werkzeug/{_werkzeug_version()}",
        }
        """What every request's environ starts with."""

    def session_transaction(self, *args: Any, **kwargs: Any) -> SessionTransaction:
        """Open the session that the next request will have, to read and change it; it is saved at the block's end.

            with client.session_transaction() as session:
                session["user"] = 1

        In `async def` tests `async with` is the same, and the only form for a session interface whose methods are
        `async def`. Takes the arguments of `EnvironBuilder`, for what depends on the URL.

        :raises TypeError: the client was made with `use_cookies=False`.
        :raises RuntimeError: the session interface has opened no session.
        """
        return SessionTransaction(self, args, kwargs)

    def _request_from_builder_args(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseRequest:
        """Make the request that `open` was asked for; under Flask's name, which extensions call."""
        source = args[0] if args else None
        if isinstance(source, (werkzeug.test.EnvironBuilder, dict, BaseRequest)):
            # as it is, method included: a subclass that adds to every request adds to redirects as well
            return self._ready_request(source)
        kwargs["environ_base"] = self._with_base(kwargs.get("environ_base", {}))
        builder = EnvironBuilder(self.application, *args, **kwargs)
        try:
            return builder.get_request()
        finally:
            builder.close()

    def _ready_request(self, source: Any) -> BaseRequest:
        """Make a request of a builder, an environ or another request."""
        if isinstance(source, werkzeug.test.EnvironBuilder):
            builder = copy(source)
            builder.environ_base = self._with_base(builder.environ_base or {})
            return builder.get_request()
        if isinstance(source, dict):
            base = self._with_base({})
            return EnvironBuilder.from_environ(source, app=self.application, environ_base=base).get_request()
        request: BaseRequest = copy(source)
        request.environ = self._with_base(request.environ)
        return request

    def _websocket(self, path: str, subprotocols: Sequence[str], kwargs: dict[str, Any]) -> ClientWebsocket:
        """Make a test's end of a websocket."""
        if kwargs.get("base_url") is not None:
            kwargs["base_url"] = _handshake_url(kwargs["base_url"])
        request = self._request_from_builder_args((_handshake_url(path),), kwargs)
        self._add_cookies_to_wsgi(request.environ)
        return ClientWebsocket(self, request, subprotocols)

    def _response(self, request: BaseRequest, status: int, headers: Headers, body: bytes) -> TestResponse:
        response = self.response_wrapper([body], f"{status}", headers, request=request)
        response.json_module = self.application.json  # type: ignore[assignment]
        return response

    def _with_base(self, environ: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.environ_base, **environ, "flaskctx.test_client": True}

    def _take_cookies(self, request: BaseRequest, cookies: list[str]) -> None:
        self._update_cookies_from_response(request.host.partition(":")[0], request.path, cookies)


def _handshake_url(url: str) -> str:
    """Return the URL of the request with which a websocket begins: `url_for` gives one of the scheme `ws`."""
    return f"http{url[2:]}" if url.startswith(("ws://", "wss://")) else url


@functools.cache
def _werkzeug_version() -> str:
    return importlib.metadata.version("werkzeug")
