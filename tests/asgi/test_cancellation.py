"""A request that is struck at any point of its way through ASGI leaves nothing behind.

Struck means: its task is cancelled, its client disconnects, or `send` fails. A clean run counts the suspensions,
receives and messages; then one run for each of them is struck there. After each the stacks are empty, each
teardown has run exactly once, on the thread and after the function that was running, and no task, thread or
generator is left. A warning would be an error (`filterwarnings`).
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import anyio
import pytest
import trio

from flaskctx import (
    Flask,
    appcontext_tearing_down,
    request,
    request_tearing_down,
    send_file,
    stream_with_context,
)
from flaskctx.asgi import disconnect, exchange
from flaskctx.globals import _app_ctx_stack, _request_ctx_stack

PAUSE = 0.0002
"""Seconds that a `def` function blocks its thread, so that a strike finds it there."""

BODY = [b"one, ", b"two, ", b"three"]


# -- applications --------------------------------------------------------------------------------------------------


class Trace:
    """What the functions of an application did."""

    def __init__(self):
        self.teardowns = []
        self.running = []
        self.threads = set()
        self.open_generators = 0
        self.failures = []
        self.receivers = []

    def enter(self, name):
        self.running.append(name)

    def leave(self, name):
        self.running.remove(name)

    def blocking(self, name):
        """A `def` function that takes a moment, whatever it is given, and passes on a response."""

        def function(*args):
            self.enter(name)
            self.threads.add(threading.current_thread())
            time.sleep(PAUSE)
            self.leave(name)
            return args[-1] if "after" in name else None

        return function

    def suspending(self, name):
        """The same as `async def`."""

        async def function(*args):
            self.enter(name)
            try:
                await anyio.sleep(0)
                await anyio.sleep(0)
            finally:
                self.leave(name)
            return args[-1] if "after" in name else None

        return function

    def receive(self, signal, name, app):
        """Connect receivers of both kinds that do what the teardown functions do."""
        for receiver in (self.teardown(name), self.async_teardown(f"async {name}")):
            self.receivers.append(receiver)
            signal.connect(receiver, app)

    def teardown(self, name):
        def function(*_, **__):
            self.threads.add(threading.current_thread())
            self.teardowns.append(name)
            if self.running:
                self.failures.append(f"{name} came while {self.running} ran")
            if not _app_ctx_stack.top_node:
                self.failures.append(f"{name} found no context")
            time.sleep(PAUSE)

        return function

    def async_teardown(self, name):
        async def function(*_, **__):
            self.teardowns.append(name)
            if self.running:
                self.failures.append(f"{name} came while {self.running} ran")
            await anyio.sleep(0)
            await anyio.sleep(0)
            if not _app_ctx_stack.top_node:
                self.failures.append(f"{name} found no context")
            self.teardowns.append(f"{name} to its end")

        return function


TEARDOWNS = sorted(
    ["request", "appcontext", "request signal", "appcontext signal"]
    + ["async request", "async request to its end", "async appcontext", "async appcontext to its end"]
    + ["async request signal", "async request signal to its end"]
    + ["async appcontext signal", "async appcontext signal to its end"]
)


def make_application(trace, flask=Flask):
    """An application with hooks of both kinds; the views say what a scenario is about."""
    app = flask("app", static_folder=None)
    app.secret_key = "tests"
    app.config["MAX_WORKER_THREADS"] = 2
    app.before_request(trace.blocking("before"))
    app.before_request(trace.suspending("async before"))
    app.after_request(trace.blocking("after"))
    app.after_request(trace.suspending("async after"))
    app.teardown_request(trace.teardown("request"))
    app.teardown_request(trace.async_teardown("async request"))
    app.teardown_appcontext(trace.async_teardown("async appcontext"))
    app.teardown_appcontext(trace.teardown("appcontext"))
    trace.receive(request_tearing_down, "request signal", app)
    trace.receive(appcontext_tearing_down, "appcontext signal", app)
    return app


def def_view(trace):
    app = make_application(trace)
    view = trace.blocking("view")
    app.get("/")(lambda: view() or "hello")
    return app


def async_view(trace):
    app = make_application(trace)
    suspending = trace.suspending("view")

    @app.get("/")
    async def view():
        await suspending()
        return "hello"

    return app


def only_def_functions(trace):
    app = def_view(trace)
    for registry in (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs):
        registry[None] = [function for function in registry[None] if not asyncio.iscoroutinefunction(function)]
    app.teardown_appcontext_funcs = [trace.teardown("appcontext")]
    trace.receivers.clear()
    return app


def form(trace):
    app = make_application(trace)

    @app.post("/")
    async def view():
        return request.get_data()

    return app


def def_hook_reads_the_body(trace):
    app = make_application(trace)
    app.before_request(lambda: request.get_data() and None)
    app.post("/")(lambda: request.get_data())
    return app


def streamed_request(trace):
    app = make_application(trace)

    @app.post("/", stream=True)
    async def view():
        return b"".join([chunk async for chunk in request.stream])

    return app


def override_around_async_view(trace):
    class Application(Flask):
        def dispatch_request(self):
            trace.enter("override")
            try:
                return super().dispatch_request()
            finally:
                trace.leave("override")

    app = make_application(trace, Application)
    suspending = trace.suspending("view")

    @app.get("/")
    async def view():
        await suspending()
        return "hello"

    return app


def async_override_around_def_view(trace):
    class Application(Flask):
        async def dispatch_request(self):
            return await self.ensure_async(super().dispatch_request)()

    app = make_application(trace, Application)
    view = trace.blocking("view")
    app.get("/")(lambda: view() or "hello")
    return app


def stream(trace, keeps_context):
    """A `def` generator, with or without its context."""

    def chunks():
        trace.open_generators += 1
        try:
            for number in range(4):
                time.sleep(PAUSE)
                yield request.path if keeps_context else str(number)
        finally:
            trace.open_generators -= 1

    app = make_application(trace)
    app.get("/")(lambda: stream_with_context(chunks()) if keeps_context else chunks())
    return app


def async_stream(trace, keeps_context):
    async def chunks():
        trace.open_generators += 1
        try:
            for number in range(4):
                await anyio.sleep(0)
                yield request.path if keeps_context else str(number)
        finally:
            trace.open_generators -= 1

    app = make_application(trace)
    app.get("/")(lambda: stream_with_context(chunks()) if keeps_context else chunks())
    return app


def file(trace):
    app = make_application(trace)
    app.get("/")(lambda: send_file(__file__))
    return app


def override_of_wsgi_app(trace):
    app = stream(trace, keeps_context=True)
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start_response: inner(environ, start_response)
    return app


def child_tasks(trace):
    app = make_application(trace)

    @app.get("/")
    async def view():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(trace.suspending("child 1"))
            tasks.start_soon(app.ensure_async(trace.blocking("child 2")))
        return "hello"

    return app


SCENARIOS = {
    "def view": def_view,
    "async view": async_view,
    "only def functions": only_def_functions,
    "form": form,
    "def hook that reads the body": def_hook_reads_the_body,
    "streamed request": streamed_request,
    "override around async view": override_around_async_view,
    "async override around def view": async_override_around_def_view,
    "stream": lambda trace: stream(trace, keeps_context=False),
    "stream with context": lambda trace: stream(trace, keeps_context=True),
    "async stream": lambda trace: async_stream(trace, keeps_context=False),
    "async stream with context": lambda trace: async_stream(trace, keeps_context=True),
    "file": file,
    "override of wsgi_app": override_of_wsgi_app,
    "child tasks": child_tasks,
}


# -- runs ----------------------------------------------------------------------------------------------------------


class Client:
    """The server's side of a request: sends the body in parts, takes the messages, and fails where it is told to."""

    def __init__(self, disconnect_at=None, fail_at=None, error=None):
        self.parts = list(BODY)
        self.receives = 0
        self.sends = 0
        self.messages = []
        self._disconnect_at = disconnect_at
        self._fail_at = fail_at
        self._error = error

    @property
    def is_answered(self):
        return bool(self.messages) and not self.messages[-1].get("more_body", len(self.messages) == 1)

    async def receive(self):
        self.receives += 1
        if self.receives == self._disconnect_at:
            return {"type": "http.disconnect"}
        if not self.parts:
            await anyio.sleep_forever()
        await anyio.sleep(0)
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts)}

    async def send(self, message):
        self.sends += 1
        if self.sends == self._fail_at:
            raise self._error
        await anyio.sleep(0)
        self.messages.append(message)


class Suspensions:
    """Awaits a coroutine, counts its suspensions, and calls `strike()` at the chosen ones."""

    def __init__(self, coroutine, strikes_at=lambda number: False, strike=lambda: None):
        self._coroutine = coroutine
        self._strikes_at = strikes_at
        self._strike = strike
        self.count = 0

    def __await__(self):
        resume, value = self._coroutine.send, None
        while True:
            try:
                waits_for = resume(value)
            except StopIteration as stop:
                return stop.value
            self.count += 1
            if self._strikes_at(self.count):
                self._strike()
            try:
                resume, value = self._coroutine.send, (yield waits_for)
            except BaseException as error:
                resume, value = self._coroutine.throw, error


class Run:
    """One request to one application on one backend, struck or not, and all checks on what it leaves."""

    def __init__(self, backend, scenario, client=None, strikes_at=lambda number: False):
        self.trace = Trace()
        self.app = SCENARIOS[scenario](self.trace)
        self.method = "POST" if any("POST" in rule.methods for rule in self.app.url_map.iter_rules()) else "GET"
        self.client = client or Client()
        self.strikes_at = strikes_at
        self.cancelled = False
        self.error = None
        try:
            if backend == "asyncio":
                self._run_on_asyncio()
            else:
                trio.run(self._on_trio)
            self._check()
        finally:
            self.app.close_worker_pool()

    def _run_on_asyncio(self):
        asyncio.run(self._on_asyncio())

    async def _on_asyncio(self):
        async def serve():
            task = asyncio.current_task()
            loop = asyncio.get_running_loop()
            try:
                await self._serve(lambda: loop.call_soon(task.cancel))
            finally:
                self._check_stacks()

        task = asyncio.create_task(serve())
        await asyncio.wait([task])
        self.cancelled = task.cancelled()
        if not self.cancelled:
            self.error = task.exception()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def _on_trio(self):
        with trio.CancelScope() as scope:
            try:
                await self._serve(scope.cancel)
            except Exception as error:
                self.error = error
            finally:
                self._check_stacks()
        self.cancelled = scope.cancelled_caught
        root = trio.lowlevel.current_root_task()
        left = [task.name for nursery in root.child_nurseries for task in nursery.child_tasks]
        assert not any("companion" in name for name in left)

    async def _serve(self, strike):
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": self.method, "scheme": "http",
            "path": "/", "raw_path": b"/", "query_string": b"", "root_path": "", "client": ("127.0.0.1", 50000),
            "server": ("localhost", 80),
            "headers": [(b"transfer-encoding", b"chunked")] if self.method == "POST" else [],
        }  # fmt: skip
        served = self.app.asgi(scope, self.client.receive, self.client.send)
        self.suspensions = Suspensions(served, self.strikes_at, strike)
        await self.suspensions

    def _check_stacks(self):
        assert _app_ctx_stack.top_node is None
        assert _request_ctx_stack.top_node is None

    def _check(self):
        trace = self.trace
        assert trace.failures == []
        assert trace.running == []
        assert sorted(trace.teardowns) == self.expected_teardowns()
        assert trace.open_generators == 0
        assert len(trace.threads) <= 1
        for worker in self.app.worker_pool.workers:
            self._check_is_free(worker)

    def expected_teardowns(self):
        return sorted(["request", "appcontext"]) if len(self.app.teardown_appcontext_funcs) == 1 else TEARDOWNS

    def _check_is_free(self, worker):
        deadline = time.monotonic() + 2
        while worker.pending and time.monotonic() < deadline:
            time.sleep(0.0005)
        assert (worker.pending, worker.seats) == (0, 0)


class DroppedRun(Run):
    """One whose loop ends while it is suspended: its coroutine is closed, and can't await anything any more.

    What is `def` goes on on the request's thread, if it has one; what would have to be awaited is left out.
    """

    def __init__(self, scenario, strike):
        super().__init__("asyncio", scenario, strikes_at=lambda number: number == strike)

    def _run_on_asyncio(self):
        loop = asyncio.new_event_loop()
        serving = loop.create_task(self._serve(loop.stop))
        # one that needs fewer suspensions than the one before it
        serving.add_done_callback(lambda task: loop.stop())
        loop.run_forever()
        for task in {serving, *asyncio.all_tasks(loop)}:
            task._log_destroy_pending = False
            task.get_coro().close()
        loop.close()
        self._check_stacks()

    def _check(self):
        for worker in self.app.worker_pool.workers:
            self._check_is_free(worker)
        trace = self.trace
        trace.teardowns = [name for name in trace.teardowns if not name.startswith("async")]
        super()._check()

    def expected_teardowns(self):
        return [name for name in super().expected_teardowns() if not name.startswith("async")]


@pytest.fixture(params=["asyncio", "trio"])
def backend(request):
    return request.param


@pytest.fixture(autouse=True)
def watch_at_once(monkeypatch):
    """Watch for the client's leaving from the first moment of a stream, and from the first wait of a request."""
    monkeypatch.setattr(disconnect, "DELAY", 0)
    monkeypatch.setattr(exchange, "DELAY", 0)


@pytest.fixture(autouse=True)
def nothing_is_left():
    """No thread, and nothing that warns when it is collected."""
    before = set(threading.enumerate())
    yield
    gc.collect(1)
    deadline = time.monotonic() + 2
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.001)
    assert left == set()


@pytest.mark.parametrize("scenario", SCENARIOS)
class TestStruck:
    def test_by_nothing(self, backend, scenario):
        run = Run(backend, scenario)
        assert run.error is None
        assert run.client.messages[0]["status"] == 200
        assert run.client.is_answered

    def test_by_a_cancellation_at_each_suspension(self, backend, scenario):
        count = Run(backend, scenario).suspensions.count
        assert count >= 3
        for strike in range(1, count + 1):
            run = Run(backend, scenario, strikes_at=lambda number, strike=strike: number == strike)
            # trio doesn't deliver one that comes when all is done but a shielded end
            was_late = run.suspensions.count < strike or (backend == "trio" and run.client.is_answered)
            assert run.cancelled or was_late, f"cancelled at {strike}"

    def test_by_cancellations_again_and_again(self, backend, scenario):
        count = Run(backend, scenario).suspensions.count
        for strike in range(1, count + 1):
            Run(backend, scenario, strikes_at=lambda number, strike=strike: number >= strike)

    def test_by_a_disconnect_at_each_receive(self, backend, scenario):
        count = Run(backend, scenario).client.receives
        for strike in range(1, count + 1):
            run = Run(backend, scenario, Client(disconnect_at=strike))
            assert run.error is None

    @pytest.mark.parametrize("error", [OSError, RuntimeError])
    def test_by_a_failing_send_at_each_message(self, backend, scenario, error):
        count = Run(backend, scenario).client.sends
        assert count >= 2
        for strike in range(1, count + 1):
            run = Run(backend, scenario, Client(fail_at=strike, error=error("the client has gone")))
            assert run.error is None or str(run.error) == "the client has gone"


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "child tasks"])
def test_one_that_is_dropped_at_each_suspension(scenario):
    """But for tasks that it has started: they are dropped as well, and Python says of some that they never ran."""
    count = Run("asyncio", scenario).suspensions.count
    for strike in range(1, count):
        DroppedRun(scenario, strike)


# -- special places -------------------------------------------------------------------------------------------------


def get(app, send, receive=anyio.sleep_forever):
    """Serve one GET request of `app`."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/", "raw_path": b"/", "query_string": b"", "root_path": "", "headers": [],
        "client": ("127.0.0.1", 50000), "server": ("localhost", 80),
    }  # fmt: skip
    return app.asgi(scope, receive, send)


class TestAFullHouse:
    """One worker thread, and a request that holds it until it is told to go."""

    @pytest.fixture
    def house(self):
        app = Flask("app", static_folder=None)
        app.config["MAX_WORKER_THREADS"] = 1
        app.config["WORKER_WAIT"] = 0.02
        self.leaves = threading.Event()
        self.arrived = threading.Event()

        @app.before_request
        async def first():
            if request.args.get("holds"):
                await app.ensure_async(self.hold)()

        yield app
        self.leaves.set()
        app.close_worker_pool()

    def hold(self):
        self.arrived.set()
        self.leaves.wait(5)

    async def holding(self, app):
        scope_of_holder = {
            "type": "http", "method": "GET", "scheme": "http", "path": "/", "query_string": b"holds=1",
            "headers": [], "http_version": "1.1",
        }  # fmt: skip
        await app.asgi(scope_of_holder, anyio.sleep_forever, self.send_nothing)

    async def send_nothing(self, message):
        pass

    def run(self, backend, main):
        if backend == "asyncio":
            asyncio.run(main())
        else:
            trio.run(main)

    def test_a_teardown_waits_for_its_thread_though_its_request_is_cancelled(self, backend, house):
        torn_down = []
        house.teardown_request(lambda error: torn_down.append(request.args.get("holds", "cancelled")))
        house.get("/")(self.async_view)

        async def main():
            async with anyio.create_task_group() as holder:
                holder.start_soon(self.holding, house)
                while not self.arrived.is_set():
                    await anyio.sleep(0.001)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(get, house, self.send_nothing)
                    await anyio.sleep(0.02)
                    tasks.cancel_scope.cancel()
                    tasks.start_soon(self.leave_soon)
            assert sorted(torn_down) == ["1", "cancelled"]

        self.run(backend, main)

    async def async_view(self):
        return "hello"

    async def leave_soon(self):
        self.leaves.set()

    def test_a_request_that_has_not_begun_is_refused_after_a_while(self, backend, house):
        called = []
        messages = []
        house.before_request_funcs[None].insert(0, lambda: called.append(request.args.get("holds")))
        house.get("/")(lambda: "hello")

        async def send(message):
            messages.append(message)

        async def main():
            async with anyio.create_task_group() as holder:
                holder.start_soon(self.holding, house)
                while not self.arrived.is_set():
                    await anyio.sleep(0.001)
                await get(house, send)
                assert _app_ctx_stack.top_node is None
                self.leaves.set()
            assert called == ["1"]
            assert messages[0]["status"] == 503
            assert (b"retry-after", b"1") in messages[0]["headers"]

        self.run(backend, main)

    def test_a_request_that_has_begun_waits_as_long_as_it_takes(self, backend, house):
        messages = []
        house.get("/")(lambda: "hello")

        async def send(message):
            messages.append(message)

        async def main():
            async with anyio.create_task_group() as holder:
                holder.start_soon(self.holding, house)
                while not self.arrived.is_set():
                    await anyio.sleep(0.001)
                # its async hook is called at once, and no thread is free for its def view
                holder.start_soon(get, house, send)
                await anyio.sleep(10 * house.config["WORKER_WAIT"])
                assert messages == []
                self.leaves.set()
            assert messages[0]["status"] == 200

        self.run(backend, main)

    def test_one_cancelled_in_the_line_leaves_it(self, backend, house):
        house.get("/")(lambda: "hello")
        house.config["WORKER_WAIT"] = 5

        async def main():
            async with anyio.create_task_group() as holder:
                holder.start_soon(self.holding, house)
                while not self.arrived.is_set():
                    await anyio.sleep(0.001)
                with anyio.move_on_after(0.02):
                    await get(house, self.send_nothing)
                assert _app_ctx_stack.top_node is None
                assert not house.worker_pool._line
                self.leaves.set()
            with anyio.fail_after(1):
                await get(house, self.send_nothing)

        self.run(backend, main)


def test_an_async_teardown_that_hangs_is_cut_off_and_logged(backend, caplog):
    app = Flask("app", static_folder=None)
    app.config["TEARDOWN_WAIT"] = 0.02
    ran = []
    app.teardown_request(lambda error: ran.append("first"))
    app.teardown_appcontext(lambda error: ran.append("last"))

    @app.teardown_request
    async def hanging(error):
        await anyio.sleep_forever()

    async def send(message):
        pass

    async def main():
        with anyio.fail_after(2):
            await get(app, send)
        assert _app_ctx_stack.top_node is None

    asyncio.run(main()) if backend == "asyncio" else trio.run(main)
    app.close_worker_pool()
    assert ran == ["first", "last"]
    assert "hanging" in caplog.text
    assert "TEARDOWN_WAIT" in caplog.text


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("keeps_context", [False, True])
def test_an_endless_stream_stops_soon_after_its_client_has_left(backend, kind, keeps_context):
    app = Flask("app", static_folder=None)
    log = []
    app.teardown_request(lambda error: log.append("teardown"))

    def chunks():
        try:
            while True:
                time.sleep(0.001)
                yield b"chunk"
        finally:
            log.append("closed")

    async def async_chunks():
        try:
            while True:
                await anyio.sleep(0.001)
                yield b"chunk"
        finally:
            log.append("closed")

    @app.get("/")
    def view():
        made = chunks() if kind == "def" else async_chunks()
        return stream_with_context(made) if keeps_context else made

    async def receive():
        await anyio.sleep(0.02)
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    async def main():
        with anyio.fail_after(1):
            await get(app, send, receive)

    asyncio.run(main()) if backend == "asyncio" else trio.run(main)
    app.close_worker_pool()
    assert log == (["closed", "teardown"] if keeps_context else ["teardown", "closed"])
