"""An `async def` view behind a `def` wrapper has what it has without one: its time, and an end with its client."""

from __future__ import annotations

import functools
import time

import anyio
import pytest

from flaskctx import CarryingExecutor, current_app, nonblocking, request
from flaskctx.views import MethodView, View
from flaskctx.wrappers import TimeLimitExceeded


def returning(view):
    """Wrap a view as many decorators do that know nothing of coroutines."""

    @functools.wraps(view)
    def wrapper(**values):
        return view(**values)

    return wrapper


def waiting(view):
    """Wrap a view as Flask-Login and others do."""

    @functools.wraps(view)
    def wrapper(**values):
        return current_app.ensure_sync(view)(**values)

    return wrapper


def on_the_loop(view):
    return nonblocking(returning(view))


def nameless(view):
    """Wrap a view in something that doesn't tell what it wraps."""
    return lambda **values: view(**values)


def method_view(view):
    class Wrapped(MethodView):
        decorators = (waiting,)

        async def get(self):
            return await view()

        async def post(self):
            raise NotImplementedError

    return Wrapped.as_view("view")


def mixed_method_view(view):
    class Wrapped(MethodView):
        decorators = (returning,)

        async def get(self):
            return await view()

        def post(self):
            raise NotImplementedError

    return Wrapped.as_view("view")


def overriding_method_view(view):
    class Wrapped(MethodView):
        def dispatch_request(self):
            return super().dispatch_request()

        async def get(self):
            return await view()

    return Wrapped.as_view("view")


def class_view(view):
    class Wrapped(View):
        decorators = (waiting, returning)

        async def dispatch_request(self):
            return await view()

    return Wrapped.as_view("view")


WRAPPERS = [
    returning,
    waiting,
    on_the_loop,
    nameless,
    method_view,
    mixed_method_view,
    overriding_method_view,
    class_view,
]


@pytest.fixture(params=WRAPPERS)
def wrapper(request):
    return request.param


@pytest.fixture
def log(app):
    log = []
    app.teardown_request(lambda error: log.append("teardown"))
    return log


@pytest.fixture
def sleepy(log):
    async def view():
        try:
            await anyio.sleep(30)
        finally:
            log.append("view ended")

    return view


def test_it_is_cancelled_when_its_time_is_up(app, server, wrapper, sleepy, log):
    app.add_url_rule("/", "view", wrapper(sleepy), timeout=0.05)
    assert server.get("/").status_code == 503
    assert log == ["view ended", "teardown"]


def test_error_handlers_have_their_own_time(app, server, wrapper, sleepy):
    app.config["REQUEST_TIMEOUT"] = 0.05
    app.add_url_rule("/", "view", wrapper(sleepy))

    @app.errorhandler(TimeLimitExceeded)
    def handler(error):
        async def late():
            await anyio.sleep(0.1)
            return "too late", 504

        return current_app.ensure_sync(late)()

    answer = server.get("/")
    assert (answer.status_code, answer.text) == (504, "too late")


def test_the_time_that_the_wrapper_takes_counts(app, server, log):
    def slow(view):
        @functools.wraps(view)
        def wrapper():
            time.sleep(0.1)
            return view()

        return wrapper

    @app.get("/", timeout=0.2)
    @slow
    async def view():
        log.append(request.time_left < 0.11)
        await anyio.sleep(30)

    assert server.get("/").status_code == 503
    assert log == [True, "teardown"]


def test_in_time_it_answers(app, server, wrapper):
    async def view():
        await anyio.sleep(0.01)
        return "in time"

    app.add_url_rule("/", "view", wrapper(view), timeout=30)
    assert server.get("/").text == "in time"


def test_other_coroutines_of_a_def_view_are_not_cut(app, server):
    async def helper():
        await anyio.sleep(0.1)
        return "helped"

    @app.get("/", timeout=0.01)
    def view():
        return app.ensure_sync(helper)()

    assert server.get("/").text == "helped"


class Client:
    """Sends one request and leaves after `stays` seconds."""

    def __init__(self, app, stays=0.0):
        self._app = app
        self._stays = stays
        self.sent = []

    async def receive(self):
        await anyio.sleep(self._stays)
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)

    async def get(self):
        with anyio.fail_after(5):
            await self._app.asgi({"type": "http", "method": "GET", "path": "/", "headers": []}, self.receive, self.send)


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
class TestWhenTheClientLeaves:
    def test_it_is_cancelled(self, app, server, wrapper, sleepy, log):
        app.add_url_rule("/", "view", wrapper(sleepy))
        client = Client(app)
        server.run(client.get)
        assert log == ["view ended", "teardown"]
        assert client.sent == []

    def test_it_is_not_where_the_route_says_so(self, app, server, wrapper, log):
        async def view():
            await anyio.sleep(0.4)
            log.append("went on")

        app.add_url_rule("/", "view", wrapper(view), cancel_on_disconnect=False)
        server.run(Client(app).get)
        assert log == ["went on", "teardown"]

    @pytest.mark.parametrize("asks", ["request.disconnected", "request.disconnected in a thread"])
    @pytest.mark.parametrize("wrapper", [returning, waiting])
    def test_while_the_wrapper_runs_it_is_cancelled_at_its_begin(self, app, server, wrapper, sleepy, log, asks):
        def until_it_leaves(view):
            @functools.wraps(view)
            def outer():
                until_left(asks)
                log.append("wrapper")
                return view()

            return outer

        app.add_url_rule("/", "view", until_it_leaves(wrapper(sleepy)))
        server.run(Client(app, stays=0.05).get)
        assert log == ["wrapper", "view ended", "teardown"]

    def test_what_a_def_view_waits_for_besides_goes_on(self, app, server, log):
        async def helper():
            await anyio.sleep(0.4)
            log.append("helped")

        @app.get("/")
        def view():
            app.ensure_sync(helper)()
            log.append("view ended")
            return "done"

        server.run(Client(app).get)
        assert log == ["helped", "view ended", "teardown"]

    @pytest.mark.parametrize("hook", [returning, waiting])
    def test_hooks_of_a_def_view_go_on(self, app, server, log, hook):
        async def before():
            await anyio.sleep(0.4)
            log.append("before")

        app.before_request(hook(before))
        app.get("/")(lambda: log.append("view") or "done")
        server.run(Client(app).get)
        assert log == ["before", "view", "teardown"]


def until_left(asks):
    if asks == "request.disconnected":
        poll()
    else:
        with CarryingExecutor(1) as executor:
            executor.submit(poll).result()


def poll():
    while not request.disconnected:
        time.sleep(0.01)
