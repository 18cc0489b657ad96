"""The handshake of a websocket is a request: the same steps, in the same order, with the same session."""

from __future__ import annotations

import pytest

import flaskctx
from flaskctx import Blueprint, Flask, after_this_request, g, request, session, url_for, websocket

pytestmark = pytest.mark.anyio


async def test_takes_the_steps_of_a_request(app, client, kind, log):
    @app.url_value_preprocessor
    def preprocess(endpoint, values):
        log.append(f"url values {values}")

    @app.before_request
    async def before():
        log.append("before")

    @app.after_request
    def after(response):
        log.append(f"after {response.status_code}")
        return response

    @app.teardown_request
    async def teardown(error):
        log.append(f"teardown {error}")

    @app.teardown_appcontext
    def teardown_app(error):
        log.append("teardown app")

    @app.websocket("/<name>")
    @kind
    async def view(ws, name):
        log.append("view")
        await ws.accept()
        log.append("accepted")

        @after_this_request
        def too_late(response):
            log.append("never")

        await ws.send("hello")
        log.append("end of view")

    async with client.websocket("/you") as ws:
        assert await ws.receive() == "hello"
    steps = ["url values {'name': 'you'}", "before", "view", "after 101", "accepted", "end of view"]
    assert log == [*steps, "teardown None", "teardown app"]


async def test_calls_after_this_request_at_its_acceptance(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        @after_this_request
        def after(response):
            response.headers["X-After"] = "yes"
            return response

        await ws.send("hello")

    async with client.websocket("/") as ws:
        assert ws.headers["X-After"] == "yes"


async def test_sends_the_signals_of_a_request(app, client, kind, log):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.send("hello")
        await ws.receive()

    noted = []
    for name in ("request_started", "request_finished", "request_tearing_down"):

        def note(sender, _name=name, **values):
            log.append(_name)

        noted.append(note)
        getattr(flaskctx, name).connect(note, app)
    async with client.websocket("/") as ws:
        await ws.receive()
        assert log == ["request_started", "request_finished"]
    assert log == ["request_started", "request_finished", "request_tearing_down"]


async def hello(ws):
    await ws.send("hello")


async def test_knows_the_request(app, client, kind):
    @app.websocket("/<int:number>")
    @kind
    async def view(ws, number):
        g.number = number
        await ws.send_json([request.args["q"], request.headers["X-Mine"], request.path, g.number, request.scheme])

    async with client.websocket("/7", query_string="q=1", headers={"X-Mine": "x"}) as ws:
        assert await ws.receive_json() == ["1", "x", "/7", 7, "http"]


async def test_reads_and_writes_the_session(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        session["visits"] = session.get("visits", 0) + 1
        await ws.send_json(session["visits"])

    for visits in (1, 2):
        async with client.websocket("/") as ws:
            assert await ws.receive_json() == visits
    async with client.session_transaction() as saved:
        assert saved["visits"] == 2


async def test_refuses_changes_of_the_session_once_the_cookie_is_sent(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        session["early"] = 1
        await ws.accept()
        try:
            session["late"] = 1
        except RuntimeError as error:
            await ws.send(f"{error} {session['early']}")

    async with client.websocket("/") as ws:
        assert "websocket was accepted" in await ws.receive()


async def test_accepts_with_subprotocol_and_headers(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.accept("chat.v2", {"X-Mine": "yes"})
        await ws.accept("chat.v1")  # does nothing any more

    async with client.websocket("/", subprotocols=["chat.v1", "chat.v2"]) as ws:
        assert ws.subprotocol == "chat.v2"
        assert ws.headers["X-Mine"] == "yes"
        assert "Content-Length" not in ws.headers


async def test_refuses_a_subprotocol_that_was_not_offered(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        with pytest.raises(ValueError, match="hasn't offered the subprotocol 'chat'"):
            await ws.accept("chat")
        await ws.send("hello")

    async with client.websocket("/", subprotocols=["other"]) as ws:
        assert ws.subprotocol is None
        assert await ws.receive() == "hello"


async def test_is_part_of_a_blueprint(app, client, kind, log):
    blueprint = Blueprint("shop", "shop", url_prefix="/shop")

    @blueprint.before_request
    def before():
        log.append(request.blueprint)

    blueprint.websocket("/")(kind(hello))
    app.register_blueprint(blueprint)
    async with client.websocket("/shop/") as ws:
        assert await ws.receive() == "hello"
    assert log == ["shop"]


async def test_checks_the_host(app, client, kind):
    app.config["TRUSTED_HOSTS"] = ["good.example"]
    app.websocket("/")(kind(hello))
    with pytest.raises(flaskctx.testing.WebsocketRejected) as rejected:
        async with client.websocket("/", base_url="http://bad.example"):
            pass
    assert rejected.value.response.status_code == 400
    async with client.websocket("/", base_url="https://good.example") as ws:
        assert await ws.receive() == "hello"


@pytest.mark.parametrize("step", ["dispatch_request", "full_dispatch_request", "preprocess_request"])
async def test_honours_overridden_steps(kind, log, step):
    def override(self, *args, **kwargs):
        log.append(step)
        return getattr(Flask, step)(self, *args, **kwargs)

    app = type("Mine", (Flask,), {step: override})("app", static_folder=None)
    app.websocket("/")(kind(hello))
    async with app.async_test_client().websocket("/") as ws:
        assert await ws.receive() == "hello"
    assert log == [step]


async def test_honours_async_overrides(kind, log):
    class Mine(Flask):
        async def full_dispatch_request(self):
            log.append("override")
            return await self.ensure_async(super().full_dispatch_request)()

    app = Mine("app", static_folder=None)
    app.websocket("/")(kind(hello))
    async with app.async_test_client().websocket("/") as ws:
        assert await ws.receive() == "hello"
    assert log == ["override"]


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.parametrize("how", ["path", "base_url"])
async def test_of_a_test_may_be_addressed_as_url_for_says(app, client, scheme, how):
    app.websocket("/hello", endpoint="hello")(hello_url)
    host = f"{scheme}://example.com"
    target = {"path": f"{host}/hello"} if how == "path" else {"path": "/hello", "base_url": host}
    async with client.websocket(**target) as ws:
        assert await ws.receive_json() == [f"{host}/hello", "example.com", scheme == "wss"]


async def hello_url():
    await websocket.send_json([url_for("hello"), request.host, request.is_secure])


def test_there_is_no_websocket_outside_of_one(app):
    with pytest.raises(RuntimeError, match="Working outside of request context"):
        websocket.accepted
    with app.test_request_context(), pytest.raises(RuntimeError, match="is no websocket"):
        websocket.accepted


def test_can_not_have_methods(app):
    with pytest.raises(TypeError, match="can't have methods"):
        app.websocket("/", methods=["POST"])(hello)


async def test_its_websocket_has_the_attributes_of_the_request(app, client):
    @app.websocket("/<int:number>")
    async def view(number):
        auth = websocket.authorization
        await websocket.send_json([websocket.view_args, websocket.args, websocket.headers["X-Bob"], auth.username])

    async with client.websocket("/3?a=1", headers={"X-Bob": "hello"}, auth=("peter", "secret")) as ws:
        assert await ws.receive_json() == [{"number": 3}, {"a": "1"}, "hello", "peter"]


async def test_and_no_others(app, client):
    @app.websocket("/")
    async def view():
        await websocket.send_json([hasattr(websocket, "nonsense"), hasattr(websocket, "_nonsense")])

    async with client.websocket("/") as ws:
        assert await ws.receive_json() == [False, False]
