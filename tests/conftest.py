"""One test text, every world: the fixtures that serve an application through WSGI and ASGI.

    def test_hello(app, server, colour):
        app.get("/")(colour(lambda: "hello"))
        assert server.request("GET", "/").text == "hello"

runs six times: {wsgi, asgi on asyncio, asgi on trio} x {`def`, `async def`}. `server` is a server as far as the
application can tell: contexts are not shared with the test, and nothing is preserved. What it serves is
`server.app`, the fixture `app` unless the test assigns another. Mark a test `@pytest.mark.worlds("wsgi")` to have
it run in some worlds only. That no test leaves a context behind is seen to by flaskctx's own pytest plugin: its
fixture `no_leaks` is on for all tests (`flaskctx_leaks` in pyproject.toml).
"""

from __future__ import annotations

import asyncio
import compileall
import functools
import gc
import io
import json
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
import trio
import werkzeug.test
from werkzeug.datastructures import EnvironHeaders, Headers

from flaskctx import Flask
from flaskctx.bridge import portal
from flaskctx.globals import _app_ctx_stack, _request_ctx_stack

WORLDS = ("wsgi", "asgi-asyncio", "asgi-trio")


@pytest.fixture
def app():
    """An application as it is deployed: neither testing nor debug, with sessions."""
    app = Flask("app", static_folder=None)
    app.secret_key = "tests"
    yield app
    if app._serving is not None and portal.running_loop in app._serving.runs:
        # as the process would, at its end
        with app.serving():
            pass


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # a shell has started this in the background: the servers that tests start would be deaf to SIGINT, too
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "worlds(*names): the worlds in which the fixture `server` runs this test")
    if not hasattr(config, "workerinput"):
        # once, and not in each process that tests start, where PYTHONDONTWRITEBYTECODE is set
        compileall.compile_dir(Path(__file__).parent.parent / "flaskctx", quiet=2)


def pytest_collection_finish():
    """Take thousands of collected tests out of the garbage collector's sight: each collection would go through them."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish():
    # what is imported for the summary, as Hypothesis, may look for itself there
    gc.unfreeze()


def pytest_generate_tests(metafunc):
    if "server" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("worlds")
        metafunc.parametrize("server", marker.args if marker else WORLDS, indirect=True)


@pytest.fixture
def server(request, app):
    """A server in this process, of each world: see `Server`."""
    made = WsgiServer(app) if request.param == "wsgi" else AsgiServer(app, request.param.removeprefix("asgi-"))
    yield made
    made.close()


@pytest.fixture(params=["def", "async def"])
def colour(request):
    """The kind of function to test with: `colour(function)` makes a `def` function into one of that kind."""
    return Colour(request.param)


class Colour:
    """Makes functions of one kind, `def` or `async def`, from `def` functions; see the fixture `colour`."""

    def __init__(self, name):
        self.name = name
        self.is_async = name == "async def"

    def __call__(self, function):
        if not self.is_async:
            return function

        @functools.wraps(function)
        async def colored(*args, **kwargs):
            await anyio.sleep(0)
            return function(*args, **kwargs)

        return colored


# -- servers ---------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    """What a client got."""

    status_code: int = 0
    headers: Headers = field(default_factory=Headers)
    chunks: list[bytes] = field(default_factory=list)

    @property
    def data(self):
        return b"".join(self.chunks)

    @property
    def text(self):
        return self.data.decode()

    @property
    def json(self):
        return json.loads(self.data)

    @property
    def cookies(self):
        """The `Cookie` header with which a client would come back."""
        return "; ".join(cookie.partition(";")[0] for cookie in self.headers.getlist("Set-Cookie"))


class Server:
    """Serves requests to `app` the way a server does; `name` and `is_asgi` say which.

    `request` takes the arguments of werkzeug's EnvironBuilder and returns an `Answer`; an exception that leaves
    the application is raised. After each request the stacks must be as they were, or the test fails.
    """

    is_asgi = False

    def __init__(self, app):
        self.app = app

    def request(self, method, path, **kwargs):
        """Serve one request."""
        return self.concurrently([(method, path, kwargs)])[0]

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def concurrently(self, requests):
        """Serve all of these `(method, path)` or `(method, path, kwargs)` at once; return their answers in order."""
        raise NotImplementedError

    def close(self):
        """End what the server has started."""


class WsgiServer(Server):
    """Calls the application on this thread; several requests at once on a thread each."""

    name = "wsgi"

    def concurrently(self, requests):
        environs = [build_environ(*request) for request in requests]
        if len(environs) == 1:
            return [self._serve(environs[0])]
        return in_threads([functools.partial(self._serve, environ) for environ in environs])

    def _serve(self, environ):
        before = stack_tops()
        answer = Answer()

        def start_response(status, headers, exc_info=None):
            assert exc_info is not None or not answer.status_code, "start_response was called twice (PEP 3333)"
            answer.status_code, answer.headers = int(status[:3]), Headers(headers)
            return answer.chunks.append

        try:
            body = self.app(environ, start_response)
            try:
                answer.chunks.extend(body)
            finally:
                if hasattr(body, "close"):
                    body.close()
        finally:
            if not any(node is not None and getattr(node.value, "preserved", False) for node in stack_tops()):
                assert stack_tops() == before, "the request has left something on a stack"
        return answer


class AsgiServer(Server):
    """Calls `app.asgi` in a task of its own for each request: on one asyncio loop, or in runs of trio."""

    is_asgi = True

    def __init__(self, app, backend):
        super().__init__(app)
        self.name = f"asgi-{backend}"
        self.backend = backend
        self._runner = asyncio.Runner() if backend == "asyncio" else None

    def concurrently(self, requests):
        outcomes = [None] * len(requests)

        async def serve(index, environ):
            try:
                outcomes[index] = (await self._serve(environ), None)
            except BaseException as error:
                outcomes[index] = (None, error)

        async def serve_all():
            async with anyio.create_task_group() as tasks:
                for index, request in enumerate(requests):
                    tasks.start_soon(serve, index, build_environ(*request))

        self.run(serve_all)
        return results_of(outcomes)

    def run(self, function, *args):
        """Run a coroutine function on the server's loop."""
        if self._runner is None:
            return trio.run(function, *args)
        return self._runner.run(function(*args))

    async def _serve(self, environ):
        before = stack_tops()
        exchange = Exchange(environ["wsgi.input"].read())
        try:
            await self.app.asgi(build_scope(environ), exchange.receive, exchange.send)
        finally:
            assert stack_tops() == before, "the request has left something on a stack"
        assert exchange.ended, "the response has no end"
        return exchange.answer

    def close(self):
        if self._runner is not None:
            self._runner.close()


class Exchange:
    """The server's side of one ASGI request, which insists on the protocol; `messages` are those sent."""

    def __init__(self, body=b""):
        self._body = body
        self.messages = []
        self.answer = Answer()
        self.ended = False

    async def receive(self):
        body, self._body = self._body, None
        if body is None:
            await anyio.sleep_forever()
        return {"type": "http.request", "body": body}

    async def send(self, message):
        assert not self.ended, "a message after the end of the response"
        if message["type"] == "http.response.start":
            assert not self.messages, "a second start"
            assert all(name == name.lower() for name, _ in message["headers"])
            self.answer.status_code = message["status"]
            self.answer.headers = Headers([(n.decode("latin-1"), v.decode("latin-1")) for n, v in message["headers"]])
        else:
            assert message["type"] == "http.response.body"
            assert self.messages, "a body before the start"
            self.answer.chunks.append(message.get("body", b""))
            self.ended = not message.get("more_body", False)
        self.messages.append(message)


def build_environ(method, path, kwargs=None):
    """Return the environ of a request; a `wsgi.input` in `kwargs` is not needed to be there."""
    builder = werkzeug.test.EnvironBuilder(path, method=method, **(kwargs or {}))
    try:
        environ = builder.get_environ()
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read())
        return environ
    finally:
        builder.close()


def build_scope(environ):
    """Return the ASGI scope of the request that an environ describes."""
    path = environ["PATH_INFO"].encode("latin-1")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": path.decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": environ["QUERY_STRING"].encode("latin-1"),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in EnvironHeaders(environ)],
        "client": ("127.0.0.1", 50000),
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
    }


def in_threads(functions):
    """Call each function on a thread of its own, all at once; return what they return, in order."""
    outcomes = [None] * len(functions)

    def call(index, function):
        try:
            outcomes[index] = (function(), None)
        except BaseException as error:
            outcomes[index] = (None, error)

    threads = [threading.Thread(target=call, args=item) for item in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results_of(outcomes)


def results_of(outcomes):
    """Return the results of `(result, error)` pairs, or raise the first error."""
    for _, error in outcomes:
        if error is not None:
            raise error
    return [result for result, _ in outcomes]


# -- nothing may be left behind ----------------------------------------------------------------------------------


def stack_tops():
    """Return the nodes on top of the two stacks here: `(None, None)` where nothing is pushed."""
    return _app_ctx_stack.top_node, _request_ctx_stack.top_node


@pytest.fixture(autouse=True)
def no_worker_thread_is_left():
    """End the worker threads that a test has started; fail it if one of them doesn't end."""
    yield
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("flaskctx-worker-")]
    for thread in threads:
        target = getattr(thread, "_target", None)  # a thread that ends by itself has none any more
        if target is not None:
            target.__self__._pool.close()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive(), f"{thread.name} has not ended"
