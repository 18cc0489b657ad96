"""Clients that send requests to an application in the same process."""

from .async_client import FlaskAsyncClient
from .builder import EnvironBuilder
from .client import FlaskClient
from .connection import Connection
from .runner import FlaskCliRunner

__all__ = ["Connection", "EnvironBuilder", "FlaskAsyncClient", "FlaskCliRunner", "FlaskClient"]
