"""The start and the end of an application on every server, once in each process that serves, and background tasks."""

from __future__ import annotations

import time

import pytest

from .kinds import GUNICORN, KINDS, UVICORN, WSGI, Kind, by_name
from .serving import RunningServer, at_once

RECYCLING = Kind("gunicorn-max-requests", GUNICORN + "--workers 1 --max-requests 5", "wsgi", 1)
WITHOUT_LIFESPAN = Kind("uvicorn-lifespan-off", UVICORN + "--lifespan off", "asgi", 64)

STARTED = ["def-start", "start"]
ENDED = ["end", "def-end"]


def processes(server):
    """Return the events of each process that has noted some."""
    lines = [line.split() for line in server._journal.read_text().splitlines()]
    return {pid: [event for event, key in lines if key == pid] for _, pid in lines if pid.isdigit()}


@pytest.mark.parametrize("kind", [*KINDS, RECYCLING])
def test_each_process_starts_once_and_ends_once(start, kind):
    server = start(kind, "started")
    answers = [answer.json for answer in at_once(lambda _: server.get("/pool"), range(20))]
    answers += [server.get("/pool").json for _ in range(80)]
    server.terminate()
    server.wait_for_end()
    assert all(answer["same_loop"] for answer in answers)
    served = {str(answer["pid"]) for answer in answers}
    assert len({(answer["pid"], answer["pool"]) for answer in answers}) == len(served)
    seen = processes(server)
    assert served <= seen.keys()
    assert all(events == STARTED + ENDED for events in seen.values())
    if "preload" in kind.name:
        assert str(server.process.pid) not in seen
    assert server.complaints() == []


@pytest.mark.parametrize("name", ["gunicorn-sync", "gunicorn-sync-preload"])
def test_each_worker_has_a_pool_of_its_own_and_keeps_it_for_100_requests(start, name):
    server = start(by_name[name], "started")
    answers = {}
    deadline = time.monotonic() + 20
    while (len(answers) < 2 or min(map(len, answers.values())) < 100) and time.monotonic() < deadline:
        for answer in at_once(lambda _: server.get("/pool").json, range(8)):
            answers.setdefault(answer["pid"], []).append(answer)
    assert len(answers) == 2
    for pid, given in answers.items():
        assert len(given) >= 100
        assert {answer["opened_in"] for answer in given} == {pid}
        assert len({answer["pool"] for answer in given}) == 1
        assert all(answer["same_loop"] for answer in given)
    server.terminate()
    server.wait_for_end()
    # the master, too, would have noted a start or an end
    assert processes(server) == {str(pid): STARTED + ENDED for pid in answers}


@pytest.mark.parametrize("kind", KINDS)
def test_background_tasks_are_finished_before_the_end(start, kind):
    server = start(kind, "started")
    server.get("/background/1")
    assert server.wait_for_journal("1", "after") == ["after"]
    server.terminate()
    server.wait_for_end()
    assert sorted(server.journal("1")) == ["after", "async-task", "def-task"]
    assert server.complaints() == []


def test_without_lifespan_the_first_request_starts_it_and_the_log_says_so(start):
    server = start(WITHOUT_LIFESPAN, "started")
    assert server.get("/pool").json["same_loop"]
    assert list(processes(server).values()) == [STARTED]
    assert "runs no lifespan" in server.output


@pytest.mark.parametrize("kind", WSGI)
def test_a_wsgi_worker_that_cannot_start_answers_503(tmp_path, kind):
    server = RunningServer(kind, "unstartable", tmp_path)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                answer = server.get("/")
                break
            except OSError:
                assert time.monotonic() < deadline, server.output
                time.sleep(0.05)
        assert answer.status == 503
        assert "secret-host" not in answer.text
        assert "LookupError: no database at secret-host" in server.output
    finally:
        server.kill()


@pytest.mark.parametrize("name", ["uvicorn-asyncio-h11", "hypercorn-asyncio", "hypercorn-trio"])
def test_an_asgi_server_whose_application_cannot_start_exits(tmp_path, name):
    server = RunningServer(by_name[name], "unstartable", tmp_path)
    try:
        server.wait_for_end()
        assert "no database at secret-host" in server.output
    finally:
        server.kill()
