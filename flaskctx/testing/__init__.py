"""Clients that send requests to an application in the same process."""

from .async_client import FlaskAsyncClient
from .builder import EnvironBuilder
from .client import FlaskClient

__all__ = ["EnvironBuilder", "FlaskAsyncClient", "FlaskClient"]
