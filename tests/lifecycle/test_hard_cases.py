"""The cases that break imitations: overrides around async views, thread-bound objects, tokens, cancelled threads."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
import tracemalloc
from contextvars import ContextVar

import anyio
import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

from flaskctx import Flask, abort, g, request


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
class TestTwoWorkerThreads:
    """Rule: a request never holds two threads, and a request that has begun never waits for ever."""

    def run(self, server, flask, view):
        app = server.app = flask("app", static_folder=None)
        app.config["MAX_WORKER_THREADS"] = 2
        threads = {}

        def hook(*args):
            threads.setdefault(request.args["number"], set()).add(threading.current_thread())
            time.sleep(0.002)
            return args[0] if args else None

        app.before_request(hook)
        app.after_request(hook)
        app.teardown_request(lambda error: None)
        app.get("/")(view)
        answers = server.concurrently([("GET", f"/?number={number}") for number in range(20)])
        assert [answer.text for answer in answers] == [str(number) for number in range(20)]
        assert {len(used) for used in threads.values()} == {1}
        assert len(set.union(*threads.values())) == 2

    def test_twenty_requests_with_a_def_override_around_an_async_view(self, server):
        class Application(Flask):
            def dispatch_request(self):
                return super().dispatch_request()

        async def view():
            await anyio.sleep(0.005)
            return request.args["number"]

        self.run(server, Application, view)

    def test_twenty_requests_with_overrides_inside_overrides(self, server):
        class Application(Flask):
            def full_dispatch_request(self):
                return super().full_dispatch_request()

            async def dispatch_request(self):
                return await self.ensure_async(super().dispatch_request)()

            def process_response(self, response):
                return super().process_response(response)

        async def view():
            await anyio.sleep(0.001)
            return await view_of_a_blocking_library()

        async def view_of_a_blocking_library():
            return await server.app.ensure_async(lambda: request.args["number"])()

        self.run(server, Application, view)

    def test_twenty_requests_with_an_async_view_between_def_hooks(self, server):
        async def view():
            await anyio.sleep(0.005)
            return request.args["number"]

        self.run(server, Flask, view)

    def test_twenty_requests_of_def_views_that_wait_for_coroutines(self, server):
        async def inner():
            await anyio.sleep(0.002)
            return request.args["number"]

        self.run(server, Flask, lambda: server.app.ensure_sync(inner)())


class TestTheTutorialsDatabase:
    """sqlite3 refuses to be closed on another thread than the one that opened it."""

    @pytest.fixture
    def closed(self, app, tmp_path):
        closed = []
        path = tmp_path / "database.sqlite"
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE user (name TEXT)")
            database.execute("INSERT INTO user VALUES ('anna')")

        @app.before_request
        def open_database():
            g.db = sqlite3.connect(path)

        @app.teardown_appcontext
        def close_database(error):
            db = g.pop("db", None)
            if db is not None:
                db.close()
                closed.append(error)

        def query(sql):
            return g.db.execute(sql).fetchone()[0]

        @app.get("/sync")
        def sync_view():
            return query("SELECT name FROM user")

        @app.get("/async")
        async def async_view():
            await anyio.sleep(0.001)
            return await app.ensure_async(query)("SELECT name FROM user")

        @app.get("/failing")
        async def failing_view():
            await anyio.sleep(0.001)
            await app.ensure_async(query)("SELECT nothing FROM user")

        return closed

    def test_opened_in_a_hook_is_closed_in_a_teardown_around_views_of_both_kinds(self, server, closed, caplog):
        answers = server.concurrently([("GET", path) for path in ("/sync", "/async") * 10])
        assert {answer.text for answer in answers} == {"anna"}
        assert closed == [None] * 20
        assert caplog.records == []

    def test_is_closed_after_an_error(self, server, closed):
        assert server.get("/failing").status_code == 500
        assert [type(error) for error in closed] == [sqlite3.OperationalError]


class TestContextVars:
    def test_set_in_a_def_hook_read_in_an_async_view_and_reset_in_a_def_teardown(self, app, server):
        variable = ContextVar("variable", default="unset")
        seen = []

        @app.before_request
        def set_it():
            g.token = variable.set(request.args["value"])

        @app.get("/")
        async def view():
            await anyio.sleep(0.001)
            return variable.get()

        @app.teardown_request
        def reset_it(error):
            variable.reset(g.token)
            seen.append(variable.get())

        answers = server.concurrently([("GET", f"/?value={number}") for number in range(10)])
        assert [answer.text for answer in answers] == [str(number) for number in range(10)]
        assert seen == ["unset"] * 10
        assert variable.get() == "unset"

    def test_set_in_an_async_hook_read_in_a_def_view_and_reset_in_an_async_teardown(self, app, server):
        variable = ContextVar("variable", default="unset")
        seen = []

        @app.before_request
        async def set_it():
            g.token = variable.set("set")

        app.get("/")(lambda: variable.get())

        @app.teardown_request
        async def reset_it(error):
            variable.reset(g.token)
            seen.append(variable.get())

        assert server.get("/").text == "set"
        assert seen == ["unset"]

    def test_set_in_the_view_is_seen_by_its_generator(self, app, server, colour):
        variable = ContextVar("variable", default="unset")

        def body():
            yield variable.get()

        async def async_body():
            yield variable.get()

        @app.get("/")
        @colour
        def view():
            variable.set("set")
            return async_body() if colour.is_async else body()

        assert server.get("/").text == "set"

    def test_set_by_a_def_override_is_seen_by_the_async_view_inside_it(self, server):
        variable = ContextVar("variable", default="unset")

        class Application(Flask):
            def dispatch_request(self):
                token = variable.set("from the override")
                try:
                    return super().dispatch_request()
                finally:
                    variable.reset(token)

        async def view():
            return variable.get()

        server.app = Application("app", static_folder=None)
        server.app.get("/")(view)
        assert server.get("/").text == "from the override"


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_cancelled_during_a_sleep_in_a_def_view_it_tears_down_after_the_view_on_its_thread(app, server):
    log = []
    asleep = threading.Event()

    @app.get("/")
    def view():
        asleep.set()
        time.sleep(0.1)
        log.append(("end of the view", threading.current_thread()))
        return "never sent"

    app.after_request(lambda response: log.append("after hook") or response)
    app.teardown_request(lambda error: log.append(("teardown", threading.current_thread())))

    async def main():
        with anyio.move_on_after(5) as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(serve)
                while not asleep.is_set():
                    await anyio.sleep(0.001)
                tasks.cancel_scope.cancel()
            log.append("callable has returned")
        assert not scope.cancelled_caught

    async def serve():
        await server.app.asgi(scope_of("/"), None, None)

    server.run(main)
    (end, first), (teardown, second), last = log
    assert [end, teardown, last] == ["end of the view", "teardown", "callable has returned"]
    assert first is second


def scope_of(path, method="GET", headers=()):
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": list(headers),
        "client": ("127.0.0.1", 50000), "server": ("localhost", 80),
    }  # fmt: skip


class TestProxyFix:
    @pytest.fixture(autouse=True)
    def behind_a_proxy(self, app):
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)

    def test_is_used_for_views_of_both_kinds(self, app, server, colour):
        app.get("/")(colour(lambda: f"{request.remote_addr} {request.scheme} {request.path}"))
        answer = server.get("/", headers={"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"})
        assert answer.text == "10.1.2.3 https /"

    def test_bodies_go_through_it(self, app, server, colour):
        app.post("/")(colour(lambda: request.get_data()[::-1]))
        assert server.request("POST", "/", data=b"abc").text == "cba"

    def test_streams_of_both_kinds_go_through_it(self, app, server):
        async def chunks():
            for number in range(3):
                await anyio.sleep(0)
                yield str(number)

        app.get("/async", endpoint="async")(lambda: chunks())
        app.get("/sync", endpoint="sync")(lambda: iter("012"))
        assert server.get("/async").text == "012"
        assert server.get("/sync").text == "012"

    def test_many_at_once_with_two_threads(self, app, server, colour):
        app.config["MAX_WORKER_THREADS"] = 2
        app.before_request(lambda: time.sleep(0.001))

        @app.get("/<int:number>")
        async def view(number):
            await anyio.sleep(0.002)
            return f"{number} {request.remote_addr}"

        requests = [("GET", f"/{number}", {"headers": {"X-Forwarded-For": f"10.0.0.{number}"}}) for number in range(20)]
        assert [answer.text for answer in server.concurrently(requests)] == [f"{n} 10.0.0.{n}" for n in range(20)]

    def test_teardowns_run_once(self, app, server, colour):
        ran = []
        app.teardown_request(colour(lambda error: ran.append(error)))
        app.get("/")(colour(lambda: "hello"))
        server.get("/")
        assert ran == [None]


SIZE = 200 * 1024 * 1024
CHUNK = 64 * 1024


class GeneratedUpload:
    """200 MB that are made as they are asked for; `taken` says how many bytes were."""

    def __init__(self):
        self.taken = 0

    async def receive(self):
        await anyio.sleep(0)
        self.taken += CHUNK
        return {"type": "http.request", "body": bytes(CHUNK), "more_body": self.taken < SIZE}

    def read(self, size=-1):
        size = SIZE - self.taken if size < 0 else min(size, SIZE - self.taken)
        self.taken += size
        return bytes(size)


class TestAnUploadThatIsRefused:
    @pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
    @pytest.mark.worlds("asgi-asyncio", "asgi-trio")
    def test_by_a_before_hook_is_not_taken(self, app, server, colour, tmp_path, monkeypatch, chunked):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        app.before_request(colour(lambda: abort(403)))
        app.post("/")(colour(lambda: str(len(request.get_data()))))
        upload = GeneratedUpload()
        header = (b"transfer-encoding", b"chunked") if chunked else (b"content-length", str(SIZE).encode())
        messages = []

        async def send(message):
            messages.append(message)

        async def main():
            await server.app.asgi(scope_of("/", "POST", [header]), upload.receive, send)

        tracemalloc.start()
        try:
            server.run(main)
            assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
        finally:
            tracemalloc.stop()
        assert messages[0]["status"] == 403
        assert upload.taken < 1024 * 1024
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.worlds("wsgi")
    def test_gets_the_same_status_under_wsgi(self, app, server, colour):
        app.before_request(colour(lambda: abort(403)))
        app.post("/")(colour(lambda: "view"))
        upload = GeneratedUpload()
        statuses = []
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
            "wsgi.url_scheme": "http", "wsgi.input": upload, "CONTENT_LENGTH": str(SIZE),
        }  # fmt: skip
        list(app(environ, lambda status, headers: statuses.append(status)))
        assert statuses == ["403 FORBIDDEN"]
        assert upload.taken == 0


class TestWhatOutlivesARequest:
    """The loop is the same in the next one: what belongs to a loop stays usable."""

    @pytest.mark.worlds("wsgi", "asgi-asyncio")
    def test_a_connection_made_in_one_request_is_usable_in_the_next(self, app, server):
        @app.get("/open")
        async def open_it():
            app.extensions["queue"] = asyncio.Queue()
            app.extensions["task"] = asyncio.create_task(app.extensions["queue"].get())
            return "opened"

        @app.get("/use")
        async def use_it():
            app.extensions["queue"].put_nowait("from the second request")
            return await app.extensions["task"]

        assert server.get("/open").text == "opened"
        assert server.get("/use").text == "from the second request"
