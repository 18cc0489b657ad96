"""Code as it is written for Quart: what it may keep, and where it's told to change (docs/quart-parity.md).

The tests follow the pages of Quart's documentation. What they do is its users' habit, in words of our own.
"""

from __future__ import annotations

import asyncio
import functools

import pytest

from flaskctx import (
    Blueprint,
    Response,
    WebsocketDisconnect,
    abort,
    after_this_request,
    copy_current_request_context,
    current_app,
    g,
    make_response,
    render_template_string,
    render_template_string_async,
    request,
    run_in_thread,
    send_file,
    session,
    stream_with_context,
    websocket,
)
from flaskctx.json.provider import DefaultJSONProvider
from flaskctx.testing import WebsocketRejected

ASGI = pytest.mark.worlds("asgi-asyncio", "asgi-trio")


async def until(condition):
    """Wait for something that happens soon on the same loop."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


# -- migration, cheat sheet ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [lambda: request.get_json(), lambda: request.form, lambda: render_template_string("text")]
)
def test_awaiting_what_is_a_value_is_a_type_error(app, server, value):
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.post("/")
    async def view():
        return await value()

    with pytest.raises(TypeError, match="'await' expression"):
        server.request("POST", "/", json={"a": 1})


def test_a_post_is_echoed_as_json(app, server):
    @app.post("/echo")
    async def echo():
        return {"input": request.get_json(), "extra": True}

    assert server.request("POST", "/echo", json={"a": "b"}).json == {"input": {"a": "b"}, "extra": True}


# -- response values -------------------------------------------------------------------------------------------


def test_generators_of_both_kinds_are_response_values(app, server):
    @app.get("/async")
    async def asynchronous():
        async def generate():
            yield b"one "
            await run_in_thread(int)
            yield b"two"

        return generate(), 201, {"X-Header": "value", "Transfer-Encoding": "chunked"}

    @app.get("/sync")
    async def synchronous():
        return Response(word for word in (b"one ", b"two"))

    answer = server.get("/async")
    assert (answer.status_code, answer.headers["X-Header"], answer.text) == (201, "value", "one two")
    assert server.get("/sync").text == "one two"


# -- request bodies --------------------------------------------------------------------------------------------


@ASGI
def test_a_body_is_iterated_as_it_arrives(app, server):
    @app.post("/", stream=True)
    async def view():
        return {"size": sum([len(chunk) async for chunk in request.stream])}

    assert server.request("POST", "/", data=b"x" * 200_000).json == {"size": 200_000}


async def test_a_body_is_sent_bit_by_bit(app):
    @app.post("/", stream=True)
    async def view():
        @stream_with_context
        async def chunks():
            async for chunk in request.stream:
                yield chunk + request.path.encode()

        return b"".join([chunk async for chunk in chunks()])

    async with app.async_test_client() as client:
        async with client.request("/", method="POST") as connection:
            await connection.send(b"data")
            await connection.send_complete()
        response = await connection.as_response()
    assert (response.status_code, response.text) == (200, "data/")


# -- sync code, extensions --------------------------------------------------------------------------------------


def test_sync_code_runs_in_a_thread_with_the_request(app, server):
    @app.get("/<name>")
    async def view(name):
        return await run_in_thread(lambda: request.path)

    assert server.get("/peter").text == "/peter"


def test_an_extensions_decorator_takes_views_of_both_kinds(app, server):
    def marked(function):
        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            return "marked " + await current_app.ensure_async(function)(*args, **kwargs)

        return wrapper

    @app.get("/def")
    @marked
    def view():
        return request.path

    @app.get("/async")
    @marked
    async def async_view():
        return request.path

    assert [server.get(path).text for path in ("/def", "/async")] == ["marked /def", "marked /async"]


# -- contexts ---------------------------------------------------------------------------------------------------


@pytest.mark.worlds("wsgi", "asgi-asyncio")
def test_a_task_of_the_view_sees_the_request(app, server):
    @app.get("/")
    async def view():
        @copy_current_request_context
        async def task():
            return request.path

        return await asyncio.create_task(task())

    assert server.get("/").text == "/"


def test_an_async_function_is_called_after_this_request(app, server):
    @app.get("/")
    async def view():
        @after_this_request
        async def add(response):
            response.headers["X-After"] = request.path
            return response

        return ""

    assert server.get("/").headers["X-After"] == "/"


async def test_copying_the_request_context_copies_the_websocket(app):
    @app.websocket("/")
    async def view():
        @copy_current_request_context
        async def task():
            await websocket.send(request.path)

        await websocket.accept()
        await asyncio.create_task(task())

    async with app.async_test_client() as client, client.websocket("/") as talk:
        assert await talk.receive() == "/"


# -- startup and shutdown, event loop, background tasks ------------------------------------------------------------


async def test_the_three_serving_hooks_run_around_the_block_of_a_client(app):
    seen = []
    app.before_serving(lambda: seen.append("before"))
    app.after_serving(lambda: seen.append("after"))

    @app.while_serving
    async def around():
        seen.append("in")
        yield
        seen.append("out")

    async with app.async_test_client():
        seen.append("served")
    assert seen == ["before", "in", "served", "out", "after"]


async def test_serving_hooks_share_g_that_requests_do_not_see(app):
    @app.before_serving
    async def open_it():
        g.opened = app.opened = "opened"

    @app.before_serving
    async def use_it():
        app.used = g.opened

    @app.get("/")
    async def view():
        return [app.opened, app.used, "opened" in g]

    async with app.async_test_client() as client:
        assert (await client.get("/")).json == ["opened", "opened", False]


async def test_another_server_is_started_on_the_same_loop(app):
    @app.before_serving
    async def start():
        app.other = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)

    @app.after_serving
    async def stop():
        app.other.close()

    @app.get("/")
    async def view():
        return [app.other.get_loop() is asyncio.get_running_loop(), app.other.is_serving()]

    async with app.async_test_client() as client:
        assert (await client.get("/")).json == [True, True]
    assert not app.other.is_serving()


async def test_background_tasks_are_complete_when_serving_has_ended(app):
    done = []

    async def work(name):
        await asyncio.sleep(0.05)
        done.append((current_app.name, name))

    @app.before_serving
    async def start():
        app.add_background_task(work, "started")

    async with app.serving():
        app.add_background_task(work, "added")
    assert sorted(done) == [(app.name, "added"), (app.name, "started")]


# -- websockets ---------------------------------------------------------------------------------------------------


class Broker:
    """Hands each message to everybody who has subscribed."""

    def __init__(self):
        self.queues = set()

    def publish(self, message):
        for queue in self.queues:
            queue.put_nowait(message)

    async def subscribe(self):
        queue = asyncio.Queue()
        self.queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self.queues.discard(queue)


async def test_a_chat_receives_in_one_task_and_sends_in_another(app):
    """When the client leaves the receiving task is told, and the view, which waits for the broker, is cancelled."""
    broker = Broker()

    async def receive():
        while True:
            broker.publish(await websocket.receive())

    @app.websocket("/ws")
    async def chat():
        receiving = asyncio.create_task(receive())
        try:
            async for message in broker.subscribe():
                await websocket.send(message)
        finally:
            receiving.cancel()
            await receiving

    async with asyncio.timeout(10), app.async_test_client() as client:
        async with client.websocket("/ws") as one, client.websocket("/ws") as other:
            await until(lambda: len(broker.queues) == 2)
            await one.send("hello")
            assert [await one.receive(), await other.receive()] == ["hello", "hello"]
        await until(lambda: not broker.queues)


async def test_sending_and_receiving_tasks_are_gathered(app):
    seen = []

    async def send():
        while True:
            await websocket.send("tick")
            await asyncio.sleep(0.01)

    async def receive():
        while True:
            seen.append(await websocket.receive())

    @app.websocket("/")
    async def view():
        try:
            await asyncio.gather(asyncio.create_task(send()), asyncio.create_task(receive()))
        except WebsocketDisconnect as gone:
            seen.append(gone.code)
            raise

    async with app.async_test_client() as client, client.websocket("/") as talk:
        assert await talk.receive() == "tick"
        await talk.send("hello")
        await until(lambda: seen)
    assert seen == ["hello", 1000]


async def test_a_view_that_waits_for_something_else_accepts_first(app):
    queues = set()

    def collected(function):
        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            queue = asyncio.Queue()
            queues.add(queue)
            try:
                return await function(queue, *args, **kwargs)
            finally:
                queues.discard(queue)

        return wrapper

    @app.websocket("/ws")
    @collected
    async def broadcast(queue):
        await websocket.accept()
        while True:
            await websocket.send(await queue.get())

    async with asyncio.timeout(10), app.async_test_client() as client:
        async with client.websocket("/ws") as talk:
            for queue in queues:
                queue.put_nowait("to all")
            assert await talk.receive() == "to all"
        await until(lambda: not queues)


async def test_a_response_rejects_a_websocket(app):
    @app.websocket("/ws")
    async def view():
        if websocket.authorization is None:
            return "Who are you?", 401
        if websocket.authorization.password != "secret":
            abort(403)
        await websocket.send(f"hello {websocket.authorization.username} {websocket.args['from']}")

    async with app.async_test_client() as client:
        for credentials, status in ((None, 401), (("peter", "guess"), 403)):
            with pytest.raises(WebsocketRejected) as rejected:
                async with client.websocket("/ws", auth=credentials):
                    pass
            assert rejected.value.response.status_code == status
        async with client.websocket("/ws?from=here", auth=("peter", "secret")) as talk:
            assert await talk.receive() == "hello peter here"


async def test_one_url_has_a_view_for_requests_and_one_for_websockets(app):
    @app.get("/ws")
    async def page():
        return "a page"

    @app.websocket("/ws")
    async def view():
        await websocket.send("a message")

    async with app.async_test_client() as client:
        assert (await client.get("/ws")).text == "a page"
        async with client.websocket("/ws") as talk:
            assert await talk.receive() == "a message"


async def test_the_session_of_a_websocket_is_saved_with_its_handshake(app):
    app.secret_key = "tests"

    @app.websocket("/ws")
    async def view():
        session["visits"] = session.get("visits", 0) + 1
        await websocket.send_json(session["visits"])
        with pytest.raises(RuntimeError, match="can't be changed any more"):
            session["late"] = True

    async with app.async_test_client() as client:
        for number in (1, 2):
            async with client.websocket("/ws") as talk:
                assert await talk.receive_json() == number


# -- server-sent events ---------------------------------------------------------------------------------------------


async def test_events_are_written_by_hand_and_end_with_their_client(app):
    clients = set()

    @app.get("/sse")
    async def sse():
        if "text/event-stream" not in request.accept_mimetypes:
            abort(400)
        queue = asyncio.Queue()
        clients.add(queue)

        async def events():
            try:
                while True:
                    yield f"data: {await queue.get()}\n\n".encode()
            finally:
                clients.discard(queue)

        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "Transfer-Encoding": "chunked"}
        response = make_response(events(), headers)
        response.timeout = None
        return response

    async with app.async_test_client() as client:
        assert (await client.get("/sse", headers={"Accept": "text/html"})).status_code == 400
        async with client.request("/sse", headers={"Accept": "text/event-stream"}) as connection:
            await until(lambda: clients)
            for queue in clients:
                queue.put_nowait("news")
            assert await connection.receive() == b"data: news\n\n"
            assert connection.status_code == 200
            await connection.disconnect()
        assert clients == set()


# -- templates, JSON, files, middleware, testing -----------------------------------------------------------------


async def test_templates_await_filters_and_context_processors(app):
    app.jinja_options = {**app.jinja_options, "enable_async": True}
    blueprint = Blueprint("shop", __name__, url_prefix="/shop")

    @app.template_filter()
    async def loud(value):
        await asyncio.sleep(0)
        return value.upper()

    @blueprint.context_processor
    async def of_the_shop():
        return {"name": "shop"}

    @blueprint.get("/")
    async def index():
        return await render_template_string_async("{{ name|loud }} {{ 'x'|loud }} {{ request.endpoint }}")

    app.register_blueprint(blueprint)
    async with app.async_test_client() as client:
        assert (await client.get("/shop/")).text == "SHOP X shop.index"


def test_a_type_of_ones_own_in_json(app, server):
    class Money:
        def __init__(self, amount):
            self.amount = amount

    class Provider(DefaultJSONProvider):
        @staticmethod
        def default(value):
            return {"amount": value.amount} if isinstance(value, Money) else DefaultJSONProvider.default(value)

        def loads(self, text, **options):
            return super().loads(text, object_hook=lambda found: Money(**found), **options)

    app.json = Provider(app)

    @app.post("/")
    async def double():
        return {"doubled": Money(2 * request.get_json().amount)}

    assert server.request("POST", "/", data='{"amount": 5}', content_type="application/json").json == {
        "doubled": {"amount": 10}
    }


def test_a_part_of_a_file(app, server, tmp_path):
    video = tmp_path / "video.mp4"
    video.write_bytes(bytes(1000))

    @app.get("/video.mp4")
    async def whole_or_part():
        return send_file(video, conditional=True)

    assert len(server.get("/video.mp4").data) == 1000
    part = server.get("/video.mp4", headers={"Range": "bytes=200-499"})
    assert (part.status_code, len(part.data), part.headers["Content-Range"]) == (206, 300, "bytes 200-499/1000")


async def test_asgi_middleware_rejects_requests_and_is_seen_by_test_clients(app):
    class OnlyWithSecret:
        def __init__(self, inner):
            self._inner = inner

        async def __call__(self, scope, receive, send):
            if scope["type"] != "http" or (b"x-secret", b"open") in scope["headers"]:
                await self._inner(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})

    app.asgi_app = OnlyWithSecret(app.asgi_app)
    app.get("/")(lambda: "inside")
    async with app.async_test_client() as client:
        assert (await client.get("/")).status_code == 401
        assert (await client.get("/", headers={"X-Secret": "open"})).text == "inside"


async def test_before_hooks_are_called_for_a_faked_request(app):
    @app.before_request
    async def before():
        g.seen = request.path

    async with app.test_request_context("/faked", method="GET"):
        await app.ensure_async(app.preprocess_request)()
        assert g.seen == "/faked"


def test_a_command_is_async_def_and_has_the_application(app):
    @app.cli.command()
    async def show():
        await asyncio.sleep(0)
        print(current_app.name)

    assert app.test_cli_runner().invoke(args=["show"]).output == f"{app.name}\n"
