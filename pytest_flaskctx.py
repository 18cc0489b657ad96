"""The pytest plugin of flaskctx: fixtures to test an application, and a check that no test leaves a context behind.

Every pytest run in an environment that has flaskctx imports this module. So it stands beside the package and imports
nothing of it: a fixture that needs the package imports it when it is used. docs/testing.md describes the fixtures.
"""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from flaskctx import Flask
    from flaskctx.testing import FlaskAsyncClient, FlaskClient, FlaskCliRunner
    from flaskctx.testing.both import Both
    from flaskctx.testing.leaks import LeakWatch


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "flaskctx_app",
        'The fixture "app", where no other one is defined: "module:app", or "module:create_app" for a factory.',
    )
    parser.addini("flaskctx_leaks", 'Whether every test uses the fixture "no_leaks".', type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    plugins = config.pluginmanager
    if config.getini("flaskctx_leaks"):
        plugins.register(_NoLeaksEverywhere(), "pytest_flaskctx.leaks")
    pytest_asyncio = plugins.get_plugin("asyncio") or plugins.get_plugin("pytest_asyncio")
    if pytest_asyncio is not None:
        # its strict mode wants to have made the fixture itself
        fixtures = ModuleType("pytest_flaskctx.asyncio")
        vars(fixtures)["_async_client_of_pytest_asyncio"] = pytest_asyncio.fixture(_async_client_of_pytest_asyncio)
        plugins.register(fixtures, fixtures.__name__)


# -- an application and its clients ------------------------------------------------------------------------------


@pytest.fixture
def app(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application that the ini option `flaskctx_app` names, with `TESTING` set. Define your own to replace it."""
    path: str = pytestconfig.getini("flaskctx_app")
    if not path:
        pytest.fail(
            'There is no application to test. Define a fixture "app" in conftest.py that returns it; or name it in '
            'pytest\'s configuration: flaskctx_app = "module:app", or "module:create_app" for a factory.',
            pytrace=False,
        )
    app: Flask = _load(path)
    monkeypatch.setitem(app.config, "TESTING", True)
    return app


def _load(path: str) -> Any:
    try:
        found = pkgutil.resolve_name(path if ":" in path else f"{path}:app")
    except (ImportError, AttributeError, ValueError) as error:
        pytest.fail(
            f'flaskctx_app = "{path}" can\'t be loaded: {error}. It is the "module:name" of an application or of a '
            'factory, and the module must be importable: pytest\'s option pythonpath = ["."] may be what is missing.',
            pytrace=False,
        )
    app = found() if callable(found) and not hasattr(found, "test_client") else found
    if not hasattr(app, "test_client"):
        pytest.fail(f'flaskctx_app = "{path}" is {app!r}: neither an application nor a factory of one.', pytrace=False)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client that sends requests through WSGI: `app.test_client()`."""
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """A runner for the application's commands: `app.test_cli_runner()`."""
    return app.test_cli_runner()


@pytest.fixture
def both(app: Flask) -> Iterator[Both]:
    """A client that sends each request through WSGI and through ASGI, and compares the answers."""
    with import_module("flaskctx.testing.both").Both(app) as both:
        yield both


@pytest.fixture
def async_client(request: pytest.FixtureRequest) -> FlaskAsyncClient:
    """A client whose requests are awaited and go through ASGI; the application is started before the test."""
    if "anyio_backend" in request.fixturenames:
        return request.getfixturevalue("_async_client_of_anyio")  # type: ignore[no-any-return]
    if request.config.pluginmanager.has_plugin("pytest_flaskctx.asyncio"):
        return request.getfixturevalue("_async_client_of_pytest_asyncio")  # type: ignore[no-any-return]
    pytest.fail(
        'The fixture "async_client" is for async tests, and no plugin runs those here. Install pytest-asyncio, or '
        "mark the test with @pytest.mark.anyio.",
        pytrace=False,
    )


@pytest.fixture
async def _async_client_of_anyio(app: Flask) -> AsyncIterator[FlaskAsyncClient]:
    async with app.async_test_client().lifespan() as client:
        yield client


async def _async_client_of_pytest_asyncio(app: Flask) -> AsyncIterator[FlaskAsyncClient]:
    async with app.async_test_client().lifespan() as client:
        yield client


# -- nothing may be left behind ----------------------------------------------------------------------------------


@pytest.fixture
def no_leaks() -> Iterator[LeakWatch]:
    """Fails the test if it, or another of its fixtures, leaves a context behind: pushed, preserved, or being served."""
    with import_module("flaskctx.testing.leaks").LeakWatch() as watch:
        yield watch
        leaks = watch.leaks()
    if leaks:
        pytest.fail("\n".join(["The test has left contexts behind:", *leaks]), pytrace=False)


class _NoLeaksEverywhere:
    @pytest.fixture(autouse=True)
    def _no_leaks_everywhere(self, no_leaks: LeakWatch) -> None:
        pass


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    watch: LeakWatch | None = getattr(item, "funcargs", {}).get("no_leaks")
    test: Any = getattr(item, "obj", None)
    if watch is None or not inspect.iscoroutinefunction(test):
        return (yield)
    item.obj = watch.wrap(test)  # type: ignore[attr-defined]
    try:
        return (yield)
    finally:
        item.obj = test  # type: ignore[attr-defined]
