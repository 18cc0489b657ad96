"""Clients that send requests to an application in the same process."""

from .async_client import FlaskAsyncClient
from .builder import EnvironBuilder
from .client import FlaskClient
from .connection import Connection
from .runner import FlaskCliRunner
from .websocket import BlockingClientWebsocket, ClientWebsocket, WebsocketClosed, WebsocketRejected

__all__ = [
    "BlockingClientWebsocket",
    "ClientWebsocket",
    "Connection",
    "EnvironBuilder",
    "FlaskAsyncClient",
    "FlaskCliRunner",
    "FlaskClient",
    "WebsocketClosed",
    "WebsocketRejected",
]
