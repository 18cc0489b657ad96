"""For type checkers only: what the test clients are to them."""

from __future__ import annotations

from typing import assert_type

from werkzeug.test import TestResponse

from flaskctx import Flask
from flaskctx.sessions import SessionMixin
from flaskctx.testing import Connection, FlaskAsyncClient, FlaskClient


def sync_client(app: Flask) -> None:
    with app.test_client() as client, client.session_transaction() as session:
        assert_type(client, FlaskClient)
        assert_type(session, SessionMixin)
        assert_type(client.get("/", query_string={"a": "b"}), TestResponse)


async def async_client(app: Flask) -> None:
    async with app.async_test_client() as client, client.session_transaction() as session:
        assert_type(client, FlaskAsyncClient)
        assert_type(session, SessionMixin)
        assert_type(await client.open("/", method="POST"), TestResponse)
        assert_type(await client.get("/", query_string={"a": "b"}), TestResponse)
    async with client.request("/") as connection:
        assert_type(connection, Connection)
        assert_type(await connection.receive(), bytes)
    assert_type(await connection.as_response(), TestResponse)
