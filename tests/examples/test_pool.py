"""examples/pool."""

from __future__ import annotations

import pytest

from ..servers.kinds import by_name
from ..servers.serving import at_once

SYNC_WORKERS = by_name["gunicorn-sync"]
UVICORN = by_name["uvicorn-asyncio-h11"]


@pytest.fixture(autouse=True)
def database(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'visits.sqlite'}")


@pytest.fixture
def app(load):
    return load("examples.pool.app").app


@pytest.fixture(params=[SYNC_WORKERS, UVICORN], ids=lambda kind: kind.name)
def kind(request):
    return request.param


@pytest.mark.worlds("wsgi", "asgi-asyncio")
def test_visits_are_counted(app, server):
    def visit():
        return [server.get("/news").json["visits"] for _ in range(3)]

    if server.is_asgi:
        assert visit() == [1, 2, 3]
    else:
        with app.serving():
            assert visit() == [1, 2, 3]


def test_one_pool_serves_all_requests_of_a_process(serve):
    """Async views under gunicorn's sync workers use a pool just as those of uvicorn do."""
    server = serve("examples.pool.app")
    answers = [answer.json for answer in at_once(lambda _: server.get("/news"), range(50))]
    assert sorted(answer["visits"] for answer in answers) == list(range(1, 51))
    processes = {answer["process"] for answer in answers}
    assert len({(answer["process"], answer["pool"]) for answer in answers}) == len(processes)
