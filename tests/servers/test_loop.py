"""What outlives a request: the event loop, a connection, a background task, a thread-bound database connection."""

from __future__ import annotations

import socketserver
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .kinds import ON_ASYNCIO, by_name
from .serving import at_once


@pytest.fixture(scope="module")
def echo_port():
    """A service that sends back what it gets."""

    class Echo(socketserver.BaseRequestHandler):
        def handle(self):
            while data := self.request.recv(100):
                self.request.sendall(data)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_each_process_has_one_loop(live):
    def ask(number):
        answer = live.get("/async/loop").json
        return answer["pid"], answer["loop"]

    seen = {pair for _ in range(10) for pair in at_once(ask, range(10))}
    assert len(seen) == len({pid for pid, _ in seen})


@pytest.mark.parametrize("name", ["gunicorn-sync-preload", "gunicorn-gevent-preload"])
def test_a_loop_that_ran_before_the_fork_is_started_anew_in_the_child(start, name):
    """With gevent, standard modules are patched after that, too."""
    server = start(by_name[name], "early")

    def ask(number):
        return server.get("/async/loop").json

    for answer in at_once(ask, range(10)):
        assert answer["pid"] != answer["prepared_by"]
        assert answer["anew"]
    server.terminate()
    server.wait_for_end()
    # Python warns of forking beside a thread, which is what is done here
    assert [line for line in server.complaints() if "use of fork()" not in line] == []


def test_a_connection_made_in_one_request_is_used_in_the_next(live, echo_port):
    def once_it_is_the_same_process(path, **query):
        answer = live.get(path, **query)
        deadline = time.monotonic() + 20
        while answer.status == 409 and time.monotonic() < deadline:
            # one of two workers may be the quicker one each time: give it something else to do
            with ThreadPoolExecutor(1) as thread:
                thread.submit(live.get, "/def/sleep", seconds=0.1)
                time.sleep(0.05)
                answer = live.get(path, **query)
        assert answer.status == 200, "the process that is connected doesn't answer"
        return answer.text

    assert live.get("/async/connect", port=echo_port).text == "connected"
    assert once_it_is_the_same_process("/async/talk", word="hello") == "hello"
    assert once_it_is_the_same_process("/async/talk", word="again") == "again"
    assert once_it_is_the_same_process("/async/hang-up") == "closed"


@pytest.mark.parametrize("live", ON_ASYNCIO, indirect=True)
def test_a_task_goes_on_after_its_request(live):
    assert live.get("/async/background", key="task", seconds=0.3).text == "started"
    assert live.wait_for_journal("task", "background") == ["async-teardown", "background", "teardown"]


def test_a_database_connection_is_opened_used_and_closed_on_one_thread(live):
    """sqlite insists on it. An async view stands between the hook that opens it and the teardown that closes it."""

    def visit(number):
        key = f"visit-{number}"
        answer = live.get("/database/async", key=key)
        assert (answer.text, answer.headers["X-Database"]) == ("visited", key)
        return live.wait_for_journal(key, "async-teardown", "database-closed", "teardown")

    for events in at_once(visit, range(12)):
        assert events == ["async-teardown", "database-closed", "teardown"]
