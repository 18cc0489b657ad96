"""Real servers for the tests of this folder.

`live` is a server of each kind that all tests share; `start` starts one that a test may end. A server that isn't
installed fails the tests: they are not skipped.
"""

from __future__ import annotations

import pytest

from .kinds import KINDS, Kind, by_name
from .serving import FOLDER, RunningServer


# before pytest-xdist reads the groups
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == FOLDER:
            item.add_marker("servers")
            item.add_marker(pytest.mark.xdist_group(_worker_for(item)))


def _worker_for(item):
    """Name the group of tests that run one after the other: those of one kind of server, which they share."""
    for value in item.callspec.params.values() if hasattr(item, "callspec") else ():
        if isinstance(value, Kind):
            return value.name
        if isinstance(value, str) and value in by_name:
            return value
    return item.path.stem


def pytest_generate_tests(metafunc):
    if "live" in metafunc.fixturenames and not _is_parametrized(metafunc, "live"):
        metafunc.parametrize("live", KINDS, indirect=True)


def _is_parametrized(metafunc, name):
    return any(name in marker.args[0] for marker in metafunc.definition.iter_markers("parametrize"))


def pytest_make_parametrize_id(val):
    return val.name if isinstance(val, Kind) else None


@pytest.fixture(params=["def", "async"])
def colour(request):
    """The kind of view: the prefix of its path in `app.py`."""
    return request.param


@pytest.fixture(scope="session")
def live_servers():
    """The servers that tests share, by their kind; they are stopped, and must not complain, when all tests are done."""
    servers = {}
    yield servers
    try:
        for server in servers.values():
            server.terminate()
        for server in servers.values():
            server.wait_for_end()
        complaints = {server.kind.name: server.complaints() for server in servers.values() if server.complaints()}
        assert complaints == {}
    finally:
        for server in servers.values():
            server.kill()


@pytest.fixture
def live(request, live_servers, tmp_path_factory):
    """A running server of each kind, for tests that leave it running."""
    kind = request.param
    if kind not in live_servers:
        live_servers[kind] = RunningServer(kind, "app", tmp_path_factory.mktemp(kind.name))
        live_servers[kind].wait_until_ready()
    return live_servers[kind]


@pytest.fixture
def start(tmp_path_factory):
    """Start a server of a kind, for tests that end it: `start(kind)`, `start(kind, "another_module")`."""
    yield from _starter(tmp_path_factory)


@pytest.fixture(scope="module")
def start_for_module(tmp_path_factory):
    """`start` for fixtures that the tests of a module share."""
    yield from _starter(tmp_path_factory)


def _starter(tmp_path_factory):
    started = []

    def start(kind, module="app"):
        server = RunningServer(kind, module, tmp_path_factory.mktemp(kind.name))
        started.append(server)
        server.wait_until_ready()
        return server

    start.servers = started
    yield start
    for server in started:
        server.kill()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the output of a test's servers with its failure."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            for server in _servers_of(value):
                report.sections.append((f"output of {server.kind.name}", server.output[-10_000:]))
    return report


def _servers_of(value):
    """Return the servers that a fixture's value is, has or has started."""
    found = getattr(value, "servers", [getattr(value, "server", value)])
    return [server for server in found if isinstance(server, RunningServer)]
