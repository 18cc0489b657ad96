"""flaskctx/wsgi/input.py: under WSGI, the body is read on the server's thread, whatever kind of view wants it."""

from __future__ import annotations

import asyncio
import gc
import io
import threading
import weakref

import pytest

from flaskctx import request

BODY = b"0123456789" * 100


class Input(io.BytesIO):
    """A server's input that notes on which thread it is read; it may end before the body does."""

    def __init__(self, data=BODY):
        super().__init__(data)
        self.threads = set()

    def read(self, *args):
        self.threads.add(threading.current_thread())
        return super().read(*args)

    readinto = None

    def __getattribute__(self, name):
        if name == "readinto":
            raise AttributeError(name)
        return super().__getattribute__(name)


@pytest.fixture
def post(app):
    """Send a POST / as a WSGI server does; return status and body."""

    def post(data=None, **environ):
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": Input() if data is None else data,
            "wsgi.multithread": True,
            "CONTENT_LENGTH": str(len(BODY)),
        } | environ
        started = []
        body = b"".join(app(environ, lambda status, headers, exc_info=None: started.append(status)))
        return int(started[0][:3]), body

    return post


def test_an_async_view_finds_it_read_on_the_servers_thread(app, post):
    @app.post("/")
    async def index():
        return request.data

    data = Input()
    assert post(data) == (200, BODY)
    assert data.threads == {threading.current_thread()}


def test_so_does_an_async_hook_that_asks_for_it(app, post):
    seen = []

    @app.before_request
    async def look():
        await request.load_body()
        seen.append(request.data)

    @app.post("/")
    async def index():
        return request.data

    data = Input()
    assert post(data) == (200, BODY)
    assert seen == [BODY]
    assert data.threads == {threading.current_thread()}


READS = {
    "data": lambda: request.data,
    "form": lambda: request.form,
    "JSON": lambda: request.get_json(force=True),
    "stream": lambda: request.stream.read(),
    "line": lambda: request.stream.readline(),
    "lines": lambda: list(request.stream),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("place", ["hook", "view", "handler"])
def test_where_it_would_stop_the_background_loop_reading_it_is_an_error(app, post, read, place):
    """The client may take its time; all coroutines of the process would wait with this one."""
    seen = []

    async def look(*args):
        try:
            READS[read]()
        except RuntimeError as error:
            seen.append(str(error))
        return "looked"

    if place == "view":
        app.post("/", stream=True)(look)
    elif place == "hook":
        app.before_request(look)
    else:
        app.register_error_handler(404, look)
    data = Input()
    assert post(data, CONTENT_TYPE="application/x-www-form-urlencoded") == (200, b"looked")
    assert "await request.load_body()" in seen[0]
    assert data.threads == set()


def test_in_a_loop_of_the_views_own_it_is_none(app, post):
    @app.post("/")
    def index():
        async def read():
            return request.data

        return asyncio.run(read())

    assert post() == (200, BODY)


def test_a_def_view_reads_it_itself(app, post):
    """What it doesn't want stays unread."""

    @app.post("/")
    def index():
        return request.stream.read(10)

    data = Input()
    assert post(data) == (200, BODY[:10])
    assert data.tell() <= 10


def test_a_stream_is_left_unread_for_an_async_view_too(app, post):
    @app.post("/", stream=True)
    async def index():
        return str(request.environ["wsgi.input"].tell())

    assert post() == (200, b"0")


def test_an_async_view_may_iterate_it(app, post):
    @app.post("/", stream=True)
    async def index():
        return b"".join([chunk async for chunk in request.stream])

    data = Input()
    assert post(data) == (200, BODY)
    assert data.threads == {threading.current_thread()}


@pytest.mark.parametrize("terminated", [True, False])
def test_a_truncated_body_is_a_400(app, colour, post, terminated):
    """Also where the server says that it ends the input: gunicorn says so, and ends it when the client has left."""
    seen = []
    app.post("/")(colour(lambda: seen.append(request.data) or ""))
    environ = {"wsgi.input_terminated": True} if terminated else {}
    assert post(Input(BODY[:10]), **environ)[0] == 400
    assert seen == []


def test_one_that_is_too_large_is_a_413(app, colour, post):
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.post("/")(colour(lambda: request.data))
    data = Input()
    assert post(data)[0] == 413
    assert data.tell() == 0


def test_chunks_without_a_declared_length_are_counted(app, colour, post):
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.post("/")(colour(lambda: request.data))
    environ = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    assert post(**environ)[0] == 413


def test_a_form_is_parsed(app, colour, post):
    app.post("/")(colour(lambda: request.form["name"]))
    environ = {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": "8"}
    assert post(Input(b"name=ann"), **environ) == (200, b"ann")


def test_a_large_body_goes_to_a_file_that_is_closed_with_the_request(app, post):
    """At once, without the garbage collector: nothing that belongs to a request refers to itself."""
    kept = []

    @app.post("/")
    async def index():
        kept.append(weakref.ref(request.environ["wsgi.input"]))
        kept.append(request.environ["wsgi.input"]._file)
        return str(len(request.data))

    gc.disable()
    try:
        size = 600_000
        assert post(Input(b"x" * size), CONTENT_LENGTH=str(size)) == (200, b"600000")
        file_object, file = kept
        for _ in range(100):
            if file_object() is None:
                break
            threading.Event().wait(0.01)  # the loop's task is just ending
        assert file_object() is None
    finally:
        gc.enable()
    assert file.closed
    assert not isinstance(file, io.BytesIO)
