"""Contexts that pytest and pytest-asyncio fixtures push are seen by the tests, and are popped by the fixtures."""

from __future__ import annotations

import pytest
import pytest_asyncio

from flaskctx import Flask, current_app, g, has_request_context, request, session

torn_down = []


@pytest.fixture
def app():
    app = Flask("app", static_folder=None)
    app.secret_key = "tests"

    @app.teardown_appcontext
    def teardown(error):
        torn_down.append(g.get("from_fixture"))

    app.get("/")(lambda: f"{request.path} {g.get('from_fixture')}")
    return app


@pytest.fixture
def async_teardown(app):
    @app.teardown_appcontext
    async def teardown(error):
        torn_down.append("async")


@pytest.fixture(autouse=True)
def each_is_torn_down_once(app):
    torn_down.clear()
    yield
    assert torn_down.count("fixture") == 1


@pytest.fixture
def app_context(app):
    with app.app_context():
        g.from_fixture = "fixture"
        yield


@pytest.fixture
def request_context(app):
    with app.test_request_context("/page"):
        g.from_fixture = "fixture"
        session["from_fixture"] = True
        yield


@pytest_asyncio.fixture
async def async_app_context(app):
    async with app.app_context():
        g.from_fixture = "fixture"
        yield


@pytest_asyncio.fixture
async def async_request_context(app):
    async with app.test_request_context("/page"):
        g.from_fixture = "fixture"
        session["from_fixture"] = True
        yield


@pytest_asyncio.fixture
async def sync_with_in_async_fixture(app):
    with app.test_request_context("/page"):
        g.from_fixture = "fixture"
        session["from_fixture"] = True
        yield


def check_application():
    assert current_app.name == "app"
    assert g.from_fixture == "fixture"


def check_request():
    check_application()
    assert request.path == "/page"
    assert session["from_fixture"]


class TestOfAPlainFixture:
    def test_in_a_plain_test(self, app_context):
        check_application()

    async def test_in_an_async_test(self, app_context):
        check_application()

    def test_of_a_request_in_a_plain_test(self, request_context):
        check_request()

    async def test_of_a_request_in_an_async_test(self, request_context):
        check_request()

    def test_with_an_async_teardown(self, async_teardown, app_context):
        check_application()


class TestOfAnAsyncFixture:
    def test_in_a_plain_test(self, async_app_context):
        check_application()

    async def test_in_an_async_test(self, async_app_context):
        check_application()

    def test_of_a_request_in_a_plain_test(self, async_request_context):
        check_request()

    async def test_of_a_request_in_an_async_test(self, async_request_context):
        check_request()

    async def test_with_an_async_teardown(self, async_teardown, async_app_context):
        check_application()

    async def test_by_a_plain_with(self, sync_with_in_async_fixture):
        check_request()


class TestBesideAFixturesContext:
    def test_a_client_shares_the_application_context(self, app, app_context):
        assert app.test_client().get("/").text == "/ fixture"
        check_application()

    async def test_so_does_a_client_on_a_running_loop(self, app, app_context):
        assert app.test_client().get("/").text == "/ fixture"
        check_application()

    def test_other_contexts_nest(self, app, request_context):
        with app.test_request_context("/inner"):
            assert request.path == "/inner"
        check_request()

    async def test_async_ones_too(self, app, async_request_context):
        async with app.test_request_context("/inner"):
            assert request.path == "/inner"
        check_request()


def test_without_one_nothing_is_current(app, app_context):
    assert not has_request_context()
