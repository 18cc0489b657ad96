"""examples/pool, on SQLite and, where its binaries are found, on a PostgreSQL of the tests' own."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from examples.pool.pools import open_pool

from ..servers.kinds import by_name
from ..servers.serving import at_once
from .postgresql import find_binaries, running_postgresql

# not SQLite on gevent: there the threads in which aiosqlite blocks are greenlets of the loop's own thread
SERVED = {
    "sqlite": ["gunicorn-sync", "uvicorn-asyncio-h11"],
    "postgresql": [
        "gunicorn-sync",
        "gunicorn-gthread",
        "gunicorn-gevent",
        "uvicorn-asyncio-h11",
        "uvicorn-uvloop-httptools",
        "hypercorn-asyncio",
    ],
}


@pytest.fixture(scope="module")
def postgresql():
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("No PostgreSQL was found (Debian, Ubuntu: apt-get install postgresql)")
    with running_postgresql(binaries) as url:
        yield url


@pytest.fixture(params=list(SERVED), autouse=True)
def database(request, monkeypatch, tmp_path):
    """The URL of an empty database."""
    url = f"sqlite:///{tmp_path / 'visits.sqlite'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql")
        with psycopg.connect(url) as connection:
            connection.execute("DROP TABLE IF EXISTS visits")
    monkeypatch.setenv("DATABASE_URL", url)
    return url


@pytest.fixture
def app(load):
    return load("examples.pool.app").app


@pytest.mark.worlds("wsgi", "asgi-asyncio")
def test_visits_are_counted(app, server):
    def visit():
        return [server.get("/news").json["visits"] for _ in range(3)]

    if server.is_asgi:
        assert visit() == [1, 2, 3]
    else:
        with app.serving():
            assert visit() == [1, 2, 3]


@pytest.mark.parametrize(
    ("database", "kind"),
    [
        pytest.param(database, by_name[name], id=f"{database}-{name}")
        for database, names in SERVED.items()
        for name in names
    ],
    indirect=["database"],
)
def test_one_pool_serves_all_requests_of_a_process(serve):
    """Async views under gunicorn's workers use a pool just as those of uvicorn do."""
    server = serve("examples.pool.app")
    answers = [answer.json for answer in at_once(lambda _: server.get("/news"), range(50))]
    assert sorted(answer["visits"] for answer in answers) == list(range(1, 51))
    processes = {answer["process"] for answer in answers}
    assert len({(answer["process"], answer["pool"]) for answer in answers}) == len(processes)


async def test_processes_that_start_together_create_the_table_once(database):
    async def start():
        async with open_pool(database, "CREATE TABLE IF NOT EXISTS visits (path TEXT)", size=1) as pool:
            async with pool.connection() as connection:
                await connection.execute("SELECT path FROM visits")

    await asyncio.gather(*[start() for _ in range(8)])
