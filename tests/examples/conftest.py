"""Examples: loaded afresh for each test, served by real servers, looked at with a real browser."""

import importlib
import os
import sys

import pytest

from ..servers.kinds import KINDS
from ..servers.serving import RunningServer
from .browser import Browser, find_browser

NO_BROWSER = (
    "No Chromium or Chrome was found. Install one (Debian, Ubuntu: apt-get install chromium), or name its path in "
    "the environment variable CHROMIUM."
)


@pytest.fixture
def load():
    """Import an example's module anew: `load("examples.hello.app")`."""

    def load(name):
        sys.modules.pop(name, None)
        return importlib.import_module(name)

    return load


@pytest.fixture(params=["uvicorn", "gunicorn-gthread"])
def kind(request):
    """The real servers that examples are tried on, one for each protocol."""
    return next(kind for kind in KINDS if kind.name.startswith(request.param))


@pytest.fixture
def serve(kind, tmp_path):
    """Serve an example on a real server, and end it well: `serve("examples.hello.app")`.

    Options are those of `RunningServer`.
    """
    started = []

    def serve(module, **options):
        server = RunningServer(kind, module, tmp_path, ready="/", **options)
        started.append(server)
        server.wait_until_ready()
        return server

    yield serve
    for server in started:
        server.terminate()
        try:
            server.wait_for_end()
        finally:
            server.kill()
        assert not server.complaints(), server.output


@pytest.fixture
def browser(tmp_path):
    """A headless browser. Without one the test is skipped, but never in CI."""
    program = find_browser()
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(NO_BROWSER)
    profile = tmp_path / "profile"
    profile.mkdir()
    with Browser(program, profile) as browser:
        yield browser
