"""Async bodies that hold what belongs to a task (timeouts, task groups, cancel scopes) open across their yields.

One task runs such a body from its first step to its end, whatever ends it.
"""

from __future__ import annotations

import asyncio
import contextlib

import anyio
import pytest
import trio

from flaskctx.asgi import disconnect


def current_task():
    """Return an object that stands for the running task, of either library."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return trio.lowlevel.current_task()


@contextlib.asynccontextmanager
async def task_group_with_child():
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep_forever)
        yield
        tasks.cancel_scope.cancel()


@contextlib.asynccontextmanager
async def asyncio_task_group():
    async with asyncio.TaskGroup() as tasks:
        child = tasks.create_task(asyncio.sleep(60))
        yield
        child.cancel()


@contextlib.asynccontextmanager
async def scope(seconds=60):
    with anyio.move_on_after(seconds):
        yield


HELD = {
    "scope": scope,
    "task group": task_group_with_child,
    "asyncio.timeout": lambda: asyncio.timeout(60),
    "asyncio.TaskGroup": asyncio_task_group,
}
ASYNCIO_ONLY = ("asyncio.timeout", "asyncio.TaskGroup")


@pytest.fixture(params=HELD)
def held(request):
    """Each of what a body may hold: `async with held():`."""
    return HELD[request.param]


class Trace:
    """What became of a body: the tasks that it has run in, and how often it has come to its end."""

    def __init__(self):
        self.tasks = set()
        self.steps = 0
        self.ends = []

    def step(self):
        self.tasks.add(current_task())
        self.steps += 1

    async def reaches(self, step):
        """Wait until the body has come so far: 1 is before its first yield, 2 after it."""
        while self.steps < step:
            await anyio.sleep(0.001)
        await anyio.sleep(0.01)

    async def body(self, chunks, pause, held):
        """Yield so many chunks, with pauses; note what ends it, and take a moment for the end."""
        end = "exhausted"
        try:
            async with held():
                for number in range(chunks):
                    self.step()
                    yield f"{number},"
                    self.step()
                    await anyio.sleep(pause)
        except BaseException as error:
            end = type(error).__name__
            raise
        finally:
            self.step()
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.001)
            self.step()
            self.ends.append(end)

    def check(self):
        assert len(self.tasks) == 1
        assert len(self.ends) == 1


@pytest.fixture
def trace():
    trace = Trace()
    yield trace
    trace.check()


def test_it_is_sent_whole(app, server, trace, held, request):
    if server.name == "asgi-trio" and held in [HELD[name] for name in ASYNCIO_ONLY]:
        held = scope
    app.get("/")(lambda: trace.body(4, 0.001, held))
    assert server.get("/").text == "0,1,2,3,"
    assert trace.ends == ["exhausted"]


class TestBehindMiddleware:
    """The worker thread iterates it, as `wsgi_app` is wrapped; each chunk is awaited on the loop."""

    @pytest.fixture(autouse=True)
    def wrapped(self, app):
        inner = app.wsgi_app
        app.wsgi_app = lambda environ, start_response: inner(environ, start_response)

    def test_it_is_sent_whole(self, app, server, trace):
        app.get("/")(lambda: trace.body(4, 0.001, task_group_with_child))
        assert server.get("/").text == "0,1,2,3,"
        assert trace.ends == ["exhausted"]

    @pytest.mark.parametrize("kind", ["scope", "task group"])
    def test_it_is_closed_by_its_task(self, app, serve, trace, kind):
        app.get("/")(lambda: trace.body(9, 0, HELD[kind]))

        async def send(message):
            if message.get("body"):
                raise OSError("the client has gone")

        serve(send)
        assert trace.ends == [CLOSED[kind]]


def test_its_own_timeout_ends_what_it_is_around_and_no_more(app, server):
    @app.get("/")
    def view():
        async def body():
            with anyio.CancelScope() as scope:
                while True:
                    yield "tick,"
                    await anyio.sleep(0.01)
                    scope.deadline = min(scope.deadline, anyio.current_time() + 0.03)
            yield "end"

        return body()

    text = server.get("/").text
    assert text.startswith("tick,tick,")
    assert text.endswith(",end")


def test_its_own_timeout_may_strike_while_nobody_asks_for_a_chunk(app):
    """Under WSGI the server's thread is slow; what the body goes on with isn't lost."""
    ended = []

    @app.get("/")
    def view():
        async def body():
            try:
                async with asyncio.timeout(0.03):
                    yield "one,"
                    yield "never"
            except TimeoutError:
                ended.append("timeout")
            yield "two"

        return body()

    iterable = app(environ(), lambda *args: None)
    chunks = iter(iterable)
    assert next(chunks) == b"one,"
    while not ended:
        pass
    assert list(chunks) == [b"two"]
    iterable.close()


def test_a_failing_child_of_its_task_group_is_its_own_error(app, server):
    """The group cancels the task that has opened it; that is neither the request's end nor the client's."""
    seen = []

    @app.get("/")
    def view():
        async def fail():
            raise LookupError("child")

        async def body():
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(fail)
                    while True:
                        yield "chunk"
                        await anyio.sleep(0.001)
            except ExceptionGroup as group:
                seen.append(group.exceptions[0])
                yield "end"

        return body()

    assert server.get("/").text.endswith("end")
    assert isinstance(seen[0], LookupError)


@pytest.fixture(params=["asyncio", "trio"])
def backend(request, monkeypatch):
    monkeypatch.setattr(disconnect, "DELAY", 0)
    return request.param


@pytest.fixture
def serve(app, backend):
    """Serve one GET request; returns the messages. One that hangs fails the test."""

    def serve(send=None, receive=anyio.sleep_forever, cancel_when=anyio.sleep_forever):
        messages, errors = [], []

        async def note(message):
            if send is not None:
                await send(message)
            messages.append(message)

        async def main():
            with anyio.fail_after(30):
                async with anyio.create_task_group() as tasks:
                    with anyio.CancelScope() as scope:
                        tasks.start_soon(cancel, scope)
                        try:
                            await app.asgi(dict(SCOPE), receive, note)
                        except Exception as error:
                            # the task group would wrap it up
                            errors.append(error)
                    tasks.cancel_scope.cancel()
            for error in errors:
                raise error

        async def cancel(scope):
            await cancel_when()
            scope.cancel()

        anyio.run(main, backend=backend)
        return messages

    return serve


SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
HOLDING = ["scope", "task group"]
CLOSED = {
    "scope": "GeneratorExit",
    "asyncio.timeout": "GeneratorExit",
    "task group": "BaseExceptionGroup",
    "asyncio.TaskGroup": "BaseExceptionGroup",
}
"""What a body sees that is closed at a yield: task groups wrap up what goes through them."""


@pytest.mark.parametrize("kind", HOLDING)
class TestItIsClosedByItsTask:
    def test_when_the_client_leaves_while_it_waits(self, app, serve, trace, kind):
        app.get("/")(lambda: trace.body(9, 60, HELD[kind]))

        async def receive():
            await trace.reaches(2)
            return {"type": "http.disconnect"}

        serve(receive=receive)

    def test_when_the_client_leaves_while_a_chunk_is_sent(self, app, serve, trace, kind):
        app.get("/")(lambda: trace.body(9, 0, HELD[kind]))

        async def receive():
            await trace.reaches(1)
            return {"type": "http.disconnect"}

        async def send(message):
            if message.get("body"):
                await anyio.sleep_forever()

        serve(send, receive)

    def test_when_the_request_is_cancelled_while_it_waits(self, app, serve, trace, kind):
        app.get("/")(lambda: trace.body(9, 60, HELD[kind]))
        serve(cancel_when=lambda: trace.reaches(2))

    def test_when_the_request_is_cancelled_while_a_chunk_is_sent(self, app, serve, trace, kind):
        app.get("/")(lambda: trace.body(9, 0, HELD[kind]))

        async def send(message):
            if message.get("body"):
                await anyio.sleep_forever()

        serve(send, cancel_when=lambda: trace.reaches(1))

    def test_when_a_chunk_cannot_be_sent(self, app, serve, trace, kind):
        app.get("/")(lambda: trace.body(9, 0, HELD[kind]))

        async def send(message):
            if message.get("body"):
                raise OSError("the client has gone")

        serve(send)
        assert trace.ends == [CLOSED[kind]]


@pytest.mark.parametrize("kind", HELD)
def test_under_wsgi_it_is_closed_by_its_task_when_the_server_closes_it(app, trace, kind):
    app.get("/")(lambda: trace.body(9, 0, HELD[kind]))
    iterable = app(environ(), lambda *args: None)
    assert next(iter(iterable)) == b"0,"
    iterable.close()
    assert trace.ends == [CLOSED[kind]]


def test_a_timeout_of_its_own_that_strikes_while_a_chunk_is_sent_is_raised_where_it_has_yielded(app, serve):
    seen = []

    @app.get("/")
    def view():
        async def body():
            with anyio.fail_after(0.02):
                try:
                    yield "chunk"
                except BaseException as error:
                    seen.append(type(error).__name__)
                    raise
                yield "never"

        return body()

    async def send(message):
        if message.get("body"):
            await anyio.sleep(0.1)

    with pytest.raises(TimeoutError):
        serve(send)
    assert seen in (["CancelledError"], ["Cancelled"])


def test_an_end_that_hangs_is_cut_off_and_logged(app, serve, caplog):
    app.config["TEARDOWN_WAIT"] = 0.03

    @app.get("/")
    def view():
        async def body():
            try:
                yield "chunk"
                await anyio.sleep_forever()
            finally:
                with contextlib.suppress(GeneratorExit):
                    await anyio.sleep_forever()

        return body()

    async def send(message):
        if message.get("body"):
            raise OSError("the client has gone")

    serve(send)
    assert "was cut off" in caplog.text


def test_under_wsgi_one_that_hangs_is_cut_off_and_logged(app, caplog):
    app.config["TEARDOWN_WAIT"] = 0.03

    @app.get("/")
    def view():
        async def body():
            try:
                yield "chunk"
            finally:
                await anyio.sleep_forever()

        return body()

    iterable = app(environ(), lambda *args: None)
    assert next(iter(iterable)) == b"chunk"
    iterable.close()
    assert "was cut off" in caplog.text


async def test_one_that_ignores_the_cancellation_of_its_request_does_not_seem_complete(app):
    """On asyncio a generator can catch it; on trio it is raised again and again."""
    messages = []

    @app.get("/")
    async def view():
        async def body():
            try:
                yield "one"
            except asyncio.CancelledError:
                yield "two"

        return body()

    async def send(message):
        messages.append(message)
        if message.get("body"):
            await asyncio.sleep(60)

    task = asyncio.create_task(app.asgi(dict(SCOPE), anyio.sleep_forever, send))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [message["type"] for message in messages] == ["http.response.start", "http.response.body"]
    assert messages[-1]["more_body"] is True


def environ():
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http", "wsgi.input": None,
    }  # fmt: skip
