"""Foreign WSGI and ASGI applications under a path, served through both protocols."""

import asyncio
import io
import json
import threading
import time

import pytest
import trio
from werkzeug.datastructures import Headers
from werkzeug.middleware.proxy_fix import ProxyFix

from flaskctx import Blueprint, Flask, has_request_context
from flaskctx.bridge.portal import portal


def describe_wsgi(environ, start_response):
    """A WSGI application that tells what it was given."""
    text = json.dumps(
        {
            "kind": "wsgi",
            "root": environ["SCRIPT_NAME"].encode("latin-1").decode(),
            "path": environ["PATH_INFO"].encode("latin-1").decode(),
            "query": environ["QUERY_STRING"],
            "body": environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode(),
            "cookie": environ.get("HTTP_COOKIE"),
            "client": environ.get("REMOTE_ADDR"),
            "context": has_request_context(),
        }
    )
    start_response("200 OK", [("Content-Type", "application/json")])
    return [text.encode()]


async def describe_asgi(scope, receive, send):
    """An ASGI application that tells what it was given."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = Headers([(name.decode(), value.decode()) for name, value in scope["headers"]])
    text = json.dumps(
        {
            "kind": "asgi",
            "root": scope["root_path"],
            "path": scope["path"].removeprefix(scope["root_path"]),
            "query": scope["query_string"].decode("latin-1"),
            "body": body.decode(),
            "cookie": headers.get("cookie"),
            "client": (scope.get("client") or [None])[0],
            "context": has_request_context(),
        }
    )
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": text.encode()})


ASYNCIO_WORLDS = ("wsgi", "asgi-asyncio")


@pytest.fixture(params=["wsgi", "asgi"])
def kind(request):
    """The protocol of the foreign application."""
    return request.param


@pytest.fixture
def mounted(app, kind):
    """The application with a foreign one under `/sub`, and a view of its own beside it."""
    if kind == "wsgi":
        app.mount_wsgi("/sub", describe_wsgi)
    else:
        app.mount_asgi("/sub", describe_asgi)
    app.get("/subway")(lambda: "a view")
    return app


# -- what belongs to a mount ---------------------------------------------------------------------------


@pytest.mark.worlds(*ASYNCIO_WORLDS)
def test_a_request_below_the_path_is_served_by_the_foreign_application(mounted, kind, server):
    told = server.get("/sub/a/b?c=d").json
    assert (told["kind"], told["root"], told["path"], told["query"]) == (kind, "/sub", "/a/b", "c=d")


@pytest.mark.worlds(*ASYNCIO_WORLDS)
def test_the_path_itself_belongs_to_the_mount(mounted, server):
    told = server.get("/sub").json
    assert (told["root"], told["path"]) == ("/sub", "")


@pytest.mark.worlds(*ASYNCIO_WORLDS)
def test_a_path_that_only_begins_alike_does_not_belong_to_it(mounted, server):
    assert server.get("/subway").text == "a view"
    assert server.get("/su").status_code == 404


@pytest.mark.worlds(*ASYNCIO_WORLDS)
def test_the_longest_path_wins_in_whatever_order_they_were_mounted(app, server):
    app.mount_wsgi("/a", describe_wsgi)
    app.mount_asgi("/a/b", describe_asgi)
    app.mount_wsgi("/a/b/c", describe_wsgi)
    roots = [server.get(path).json["root"] for path in ("/a/x", "/a/b/x", "/a/b/c/x", "/a/bc")]
    assert roots == ["/a", "/a/b", "/a/b/c", "/a"]


@pytest.mark.worlds(*ASYNCIO_WORLDS)
def test_paths_beyond_ascii_are_found(app, server):
    app.mount_wsgi("/käse", describe_wsgi)
    told = server.get("/käse/größe").json
    assert (told["root"], told["path"]) == ("/käse", "/größe")


@pytest.mark.worlds(*ASYNCIO_WORLDS)
def test_the_foreign_application_runs_outside_the_lifecycle(mounted, server):
    mounted.before_request(lambda: "a hook")
    assert server.get("/sub/").json["context"] is False
    assert server.get("/subway").text == "a hook"


@pytest.mark.worlds(*ASYNCIO_WORLDS)
def test_a_body_a_query_and_cookies_arrive_whole(mounted, server):
    body = "x" * 200_000
    told = server.request("POST", "/sub/", data=body, query_string="q=%C3%A9", headers=[("Cookie", "a=1; b=2")]).json
    assert (told["body"], told["query"], told["cookie"]) == (body, "q=%C3%A9", "a=1; b=2")


@pytest.mark.parametrize("path", ["sub", "/sub/", "/", ""])
def test_a_path_that_nothing_can_be_mounted_under_is_refused(app, path):
    with pytest.raises(ValueError, match="No application can be mounted under"):
        app.mount_wsgi(path, describe_wsgi)


@pytest.mark.parametrize("how", ["mount_wsgi", "mount_asgi"])
def test_what_is_no_application_is_refused(app, how):
    for wrong in ("hello:app", Blueprint("blueprint", "blueprint")):
        with pytest.raises(TypeError, match="under '/sub' has to be a WSGI or ASGI application"):
            getattr(app, how)("/sub", wrong)


def test_a_path_is_taken_once(app):
    app.mount_wsgi("/sub", describe_wsgi)
    with pytest.raises(ValueError, match="mounted under '/sub' already"):
        app.mount_asgi("/sub", describe_asgi)


def test_mounting_after_the_first_request_is_refused(app):
    app.test_client().get("/")
    with pytest.raises(AssertionError, match="mount_wsgi"):
        app.mount_wsgi("/sub", describe_wsgi)


# -- what is around it ---------------------------------------------------------------------------------


@pytest.mark.worlds(*ASYNCIO_WORLDS)
def test_middleware_around_wsgi_app_is_around_the_mounts_too(mounted, server):
    mounted.wsgi_app = ProxyFix(mounted.wsgi_app, x_prefix=1)
    told = server.get("/sub/x", headers={"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Prefix": "/outer"}).json
    assert (told["root"], told["path"]) == ("/outer/sub", "/x")


def test_such_middleware_and_the_mounts_work_on_trio(mounted, kind):
    mounted.wsgi_app = ProxyFix(mounted.wsgi_app)
    status, body = trio.run(request_asgi, mounted.asgi, {"path": "/sub/x"})
    assert status == 200
    assert json.loads(body)["kind"] == kind


def test_a_foreign_wsgi_application_on_trio_is_an_error_that_says_so(app):
    app.mount_wsgi("/sub", describe_wsgi)
    with pytest.raises(RuntimeError, match="needs asyncio, and this server runs on trio"):
        trio.run(request_asgi, app.asgi, {"path": "/sub/x"})


def test_a_foreign_asgi_application_on_trio_is_called_there(app):
    app.mount_asgi("/sub", describe_asgi)
    _, body = trio.run(request_asgi, app.asgi, {"path": "/sub/x"})
    assert json.loads(body)["path"] == "/x"


@pytest.mark.parametrize("how", ["mount_wsgi", "mount_asgi"])
def test_an_application_of_ours_needs_nobody_to_carry_it(app, server, how):
    inner = Flask("inner")
    inner.get("/async")(the_thread)
    getattr(app, how)("/inner", inner)
    here = server.get("/inner/async").text
    assert here == ("flaskctx-loop" if server.name == "wsgi" else threading.current_thread().name)


async def the_thread():
    return threading.current_thread().name


async def test_root_path_of_the_server_stands_before_the_mount(app):
    app.mount_asgi("/sub", describe_asgi)
    for path in ("/outer/sub/x", "/sub/x"):  # servers that leave root_path in the path, and that don't
        _, body = await request_asgi(app.asgi, {"path": path, "root_path": "/outer"})
        told = json.loads(body)
        assert (told["root"], told["path"]) == ("/outer/sub", "/x")


async def test_root_path_is_cut_off_at_a_segments_boundary(app):
    app.mount_asgi("/apiary", describe_asgi)
    _, body = await request_asgi(app.asgi, {"path": "/apiary/x", "root_path": "/api"})
    assert json.loads(body)["root"] == "/api/apiary"


# -- WSGI carried through ASGI -------------------------------------------------------------------------


async def test_header_names_with_underscores_do_not_pose_as_others(app):
    seen = []

    def look(environ, start_response):
        seen.append(environ.get("HTTP_X_REAL"))
        start_response("204 No Content", [])
        return []

    app.mount_wsgi("/sub", look)
    await request_asgi(app.asgi, {"path": "/sub", "headers": [(b"x_real", b"forged")]})
    assert seen == [None]


async def test_query_bytes_beyond_ascii_are_no_error(app):
    app.mount_wsgi("/sub", describe_wsgi)
    status, _ = await request_asgi(app.asgi, {"path": "/sub", "query_string": "q=é".encode()})
    assert status == 200


async def test_the_body_is_read_as_a_file(app):
    parts = []

    def read(environ, start_response):
        body = environ["wsgi.input"]
        parts.extend([body.readline(), body.read(2), body.readlines(), body.read()])
        start_response("200 OK", [])
        return []

    app.mount_wsgi("/sub", read)
    messages = [b"one\ntw", b"o\nthree\nfo", b"ur"]
    await request_asgi(app.asgi, {"path": "/sub", "method": "POST"}, messages)
    assert parts == [b"one\n", b"tw", [b"o\n", b"three\n", b"four"], b""]


async def test_a_truncated_body_is_an_error_to_the_application(app):
    failures = []

    def read(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            failures.append(str(error))
            raise

    app.mount_wsgi("/sub", read)
    received = [{"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.disconnect"}]
    await app.asgi(scope_of(path="/sub", method="POST", headers=[(b"content-length", b"9")]), replay(received), drop)
    assert failures == ["The client left before the end of the request's body."]


async def test_an_exception_of_the_application_reaches_the_server(app):
    def fail(environ, start_response):
        raise LookupError("foreign")

    app.mount_wsgi("/sub", fail)
    with pytest.raises(LookupError, match="foreign"):
        await request_asgi(app.asgi, {"path": "/sub"})


@pytest.mark.parametrize("leaving", ["disconnect", "failing send", "cancellation"])
async def test_an_endless_body_ends_when_the_client_has_gone(app, leaving):
    ended = threading.Event()
    gone = asyncio.Event()

    def endless(environ, start_response):
        start_response("200 OK", [])
        return Endless(ended)

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == "http.response.body":
            if leaving == "disconnect":
                gone.set()
            elif leaving == "failing send":
                raise OSError

    app.mount_wsgi("/sub", endless)
    task = asyncio.create_task(app.asgi(scope_of(path="/sub"), receive, send))
    if leaving == "cancellation":
        await asyncio.sleep(0.05)
        task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.done()
    assert task.cancelled() == (leaving == "cancellation")
    assert ended.is_set()


class Endless:
    """A body without an end that notes when it is closed."""

    def __init__(self, closed):
        self._closed = closed

    def __iter__(self):
        while True:
            time.sleep(0.005)
            yield b"more"

    def close(self):
        self._closed.set()


async def test_a_cancellation_wakes_an_application_that_waits_for_the_body(app):
    app.mount_wsgi("/sub", describe_wsgi)
    scope = scope_of(path="/sub", method="POST", headers=[(b"content-length", b"9")])
    task = asyncio.create_task(app.asgi(scope, asyncio.Event().wait, drop))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


# -- ASGI carried through WSGI -------------------------------------------------------------------------


def test_a_foreign_asgi_application_runs_on_the_background_loop(app):
    async def tell(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": threading.current_thread().name.encode()})

    app.mount_asgi("/sub", tell)
    assert app.test_client().get("/sub").text == "flaskctx-loop"


def test_it_streams(app):
    proceed = threading.Event()

    async def stream(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await asyncio.to_thread(proceed.wait, 5)
        await send({"type": "http.response.body", "body": b"two"})

    app.mount_asgi("/sub", stream)
    body = app(environ_of("/sub"), lambda *args: None)
    chunks = iter(body)
    assert next(chunks) == b"one"
    proceed.set()
    assert b"".join(chunks) == b"two"
    body.close()


def test_its_task_ends_when_the_client_leaves(app):
    ended = threading.Event()

    async def endless(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"more", "more_body": True})
        finally:
            ended.set()

    app.mount_asgi("/sub", endless)
    body = app(environ_of("/sub"), lambda *args: None)
    assert next(iter(body)) == b"more"
    body.close()
    assert ended.wait(5)


def test_a_chunked_body_arrives_whole(app):
    app.mount_asgi("/sub", describe_asgi)
    body = b"x" * 700_000
    environ = {
        **environ_of("/sub", method="POST"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
    }
    assert json.loads(called(app, environ))["body"] == body.decode()


def test_a_truncated_body_is_an_error_and_nothing_waits_for_the_rest(app):
    app.mount_asgi("/sub", describe_asgi)
    environ = {**environ_of("/sub", method="POST"), "wsgi.input": io.BytesIO(b"ab"), "CONTENT_LENGTH": "9"}
    with pytest.raises(ConnectionResetError):
        called(app, environ)
    assert_no_task_is_left()


def test_bytes_that_are_no_text_are_no_error(app):
    app.mount_asgi("/sub", describe_asgi)
    environ = {**environ_of("/sub"), "QUERY_STRING": "q=\xff", "PATH_INFO": "/sub/\xff"}
    told = json.loads(called(app, environ))
    assert (told["query"], told["path"]) == ("q=%FF", "/\N{REPLACEMENT CHARACTER}")


async def fail(scope, receive, send):
    raise LookupError("foreign")


async def return_nothing(scope, receive, send):
    pass


async def cancel_oneself(scope, receive, send):
    raise asyncio.CancelledError


@pytest.mark.parametrize("failing", [fail, return_nothing, cancel_oneself])
def test_one_that_sends_no_response_is_a_500_and_a_line_in_the_log(app, caplog, failing):
    app.mount_asgi("/sub", failing)
    started = []
    called(app, environ_of("/sub/x"), lambda *args: started.append(args))
    assert started[0][0] == "500 Internal Server Error"
    assert "The mounted ASGI application failed at /sub/x." in caplog.text
    assert_no_task_is_left()


def test_a_response_that_was_not_ended_is_ended(app):
    async def forget(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"text", "more_body": True})

    app.mount_asgi("/sub", forget)
    assert app.test_client().get("/sub").text == "text"


def test_work_after_the_response_is_told_that_the_client_has_gone(app):
    heard = []

    async def listen(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"text"})
        heard.append(await receive())

    app.mount_asgi("/sub", listen)
    assert app.test_client().get("/sub").text == "text"
    assert heard == [{"type": "http.disconnect"}]


# -- helpers -------------------------------------------------------------------------------------------


def scope_of(**values):
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        **values,
    }


def replay(messages):
    remaining = iter(messages)

    async def receive():
        return next(remaining)

    return receive


async def drop(message):
    pass


async def request_asgi(application, values, body=()):
    """Send one request, its body in these parts; return status and body of the response."""
    parts = [{"type": "http.request", "body": part, "more_body": part is not body[-1]} for part in body]
    headers = [*values.pop("headers", []), *([(b"transfer-encoding", b"chunked")] if body else [])]
    sent = []

    async def send(message):
        sent.append(message)

    receive = replay(parts or [{"type": "http.request"}])
    await application(scope_of(headers=headers, **values), receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def environ_of(path, method="GET"):
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }


def called(app, environ, start_response=lambda *args: None):
    """Call the application as a WSGI server does; return the body."""
    body = app(environ, start_response)
    try:
        return b"".join(body)
    finally:
        body.close()


def assert_no_task_is_left():
    """Wait until the requests to mounted applications have ended on the background loop."""
    deadline = time.monotonic() + 5
    while [task for task in asyncio.all_tasks(portal.loop) if task.get_name() != "flaskctx-serving"]:
        assert time.monotonic() < deadline, "a task is left on the background loop"
        time.sleep(0.01)
