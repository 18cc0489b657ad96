"""Server-sent events: how they are written, and what a stream of them does in every world."""

from __future__ import annotations

import datetime
import gc
import threading
import time

import anyio
import pytest

from flaskctx import EventStream, Flask, Response, ServerSentEvent, request, stream_with_context


def generated(colour, items, pauses=0.0, closed=None):
    """Return a generator of a kind: it yields the items, with a pause before each."""

    def events():
        try:
            for item in items:
                time.sleep(pauses)
                yield item
        finally:
            if closed is not None:
                closed.append("closed")

    async def async_events():
        try:
            for item in items:
                await anyio.sleep(pauses)
                yield item
        finally:
            if closed is not None:
                closed.append("closed")

    return async_events() if colour.is_async else events()


def blocks(answer):
    """Return the events of an answer as they were written."""
    assert answer.data.endswith(b"\n\n")
    return answer.text.split("\n\n")[:-1]


class TestServerSentEvent:
    @pytest.mark.parametrize(
        ("event", "text"),
        [
            (ServerSentEvent("one"), "data: one\n\n"),
            (ServerSentEvent(""), "data: \n\n"),
            (ServerSentEvent("two\nlines"), "data: two\ndata: lines\n\n"),
            (ServerSentEvent("a\r\nb\rc\n"), "data: a\ndata: b\ndata: c\ndata: \n\n"),
            (ServerSentEvent("no\u2028line\x0bend"), "data: no\u2028line\x0bend\n\n"),
            (ServerSentEvent({"a": [1, None]}), 'data: {"a": [1, null]}\n\n'),
            (ServerSentEvent(0), "data: 0\n\n"),
            (ServerSentEvent("x", event="tick", id=7, retry=50), "retry: 50\nid: 7\nevent: tick\ndata: x\n\n"),
            (ServerSentEvent("x", id=""), "id: \ndata: x\n\n"),
            (ServerSentEvent(id="0"), "id: 0\n\n"),
            (ServerSentEvent(event="ping"), "event: ping\ndata:\n\n"),
            (ServerSentEvent(comment="two\nlines"), ": two\n: lines\n\n"),
            (ServerSentEvent(comment=""), ": \n\n"),
            (ServerSentEvent(), ":\n\n"),
        ],
    )
    def test_is_written_as_the_specification_says(self, event, text):
        assert event.encode().decode() == text

    @pytest.mark.parametrize("field", ["event", "id"])
    @pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
    def test_refuses_fields_that_would_become_others(self, field, end):
        with pytest.raises(ValueError, match=f"The {field} of a server-sent event is one line"):
            ServerSentEvent("data", **{field: f"a{end}data: forged"})

    def test_refuses_an_id_that_browsers_ignore(self):
        with pytest.raises(ValueError, match="without NUL"):
            ServerSentEvent("data", id="a\0b")

    @pytest.mark.parametrize("retry", [-1, 1.5, "3", True])
    def test_refuses_a_retry_that_is_no_number_of_milliseconds(self, retry):
        with pytest.raises(ValueError, match="milliseconds"):
            ServerSentEvent(retry=retry)
        with pytest.raises(ValueError, match="milliseconds"):
            EventStream([], retry=retry)


class TestArguments:
    @pytest.mark.parametrize("events", ["text", b"bytes", {"a": 1}, 3, None])
    def test_must_be_events(self, events):
        with pytest.raises(TypeError, match="needs a generator of events"):
            EventStream(events)

    def test_a_function_that_was_not_called_is_told_so(self):
        with pytest.raises(TypeError, match="Call the function"):
            EventStream(lambda: iter(()))

    @pytest.mark.parametrize("heartbeat", [0, -1])
    def test_a_heartbeat_takes_time(self, heartbeat):
        with pytest.raises(ValueError, match="heartbeat is a number of seconds"):
            EventStream([], heartbeat=heartbeat)


class TestStream:
    def test_sends_texts_json_and_events(self, app, server, colour):
        class Custom:
            pass

        app.json.default = lambda value: "by app.json"
        items = ["text", {"a": 1}, [2], 3, datetime.date(2030, 1, 1), Custom(), ServerSentEvent("x", event="y"), None]
        app.get("/")(colour(lambda: EventStream(generated(colour, items))))
        assert blocks(server.get("/")) == [
            ":", "data: text", 'data: {"a": 1}', "data: [2]", "data: 3", 'data: "by app.json"', 'data: "by app.json"',
            "event: y\ndata: x",
        ]  # fmt: skip

    def test_has_the_headers_of_one(self, app, server, colour):
        app.get("/")(colour(lambda: EventStream(generated(colour, []))))
        headers = server.get("/").headers
        assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert headers["Cache-Control"] == "no-cache"
        assert headers["X-Accel-Buffering"] == "no"
        assert "Content-Length" not in headers

    def test_leaves_headers_and_status_to_the_view(self, app, server, colour):
        @app.get("/")
        @colour
        def view():
            headers = {"Cache-Control": "no-store", "X-Other": "1"}
            return EventStream(generated(colour, []), status=201, headers=headers), {"X-More": "2"}

        answer = server.get("/")
        assert answer.status_code == 201
        assert answer.headers["Cache-Control"] == "no-store"
        assert (answer.headers["X-Other"], answer.headers["X-More"]) == ("1", "2")

    def test_begins_with_the_time_until_a_new_connection(self, app, server, colour):
        app.get("/")(colour(lambda: EventStream(generated(colour, ["x"]), retry=250)))
        assert blocks(server.get("/")) == ["retry: 250", "data: x"]

    def test_goes_on_after_the_last_event_that_the_client_has_seen(self, app, server, colour):
        app.get("/")(colour(lambda: EventStream(generated(colour, [request.last_event_id]))))
        seen = "über 7".encode().decode("latin-1")
        assert blocks(server.get("/", headers={"Last-Event-ID": seen})) == [":", "data: über 7"]
        assert blocks(server.get("/")) == [":"]

    def test_knows_the_request_with_stream_with_context(self, app, server, colour):
        log = []
        app.teardown_request(lambda error: log.append("teardown"))

        @app.get("/")
        @colour
        def view():
            def events():
                yield request.path
                log.append("end")

            async def async_events():
                yield request.path
                log.append("end")

            return EventStream(stream_with_context(async_events() if colour.is_async else events()))

        assert blocks(server.get("/")) == [":", "data: /"]
        assert log == ["end", "teardown"]

    def test_serves_a_generator_of_the_other_kind(self, app, server, colour):
        def view():
            return EventStream(generated(type(colour)("def" if colour.is_async else "async def"), ["x"]))

        app.get("/")(colour(view))
        assert blocks(server.get("/")) == [":", "data: x"]

    def test_beats_while_the_generator_is_silent(self, app, server, colour):
        app.get("/")(colour(lambda: EventStream(generated(colour, ["a", "b"], pauses=0.4), heartbeat=0.1)))
        sent = blocks(server.get("/"))
        assert sent[0] == ":"
        first, second = sent.index("data: a"), sent.index("data: b")
        assert sent[1:first] == [":"] * (first - 1) != []
        assert sent[first + 1 : second] == [":"] * (second - first - 1) != []

    def test_does_not_beat_without_heartbeats(self, app, server, colour):
        app.get("/")(colour(lambda: EventStream(generated(colour, [None, "a"], pauses=0.2), heartbeat=None)))
        assert blocks(server.get("/")) == [":", "data: a"]

    def test_does_not_beat_while_there_is_news(self, app, server, colour):
        app.get("/")(colour(lambda: EventStream(generated(colour, range(10), pauses=0.02), heartbeat=5)))
        assert blocks(server.get("/")) == [":", *(f"data: {number}" for number in range(10))]

    def test_becomes_a_response_of_the_applications_class(self, app, server, colour):
        class Own(Response):
            pass

        app.response_class = Own
        app.after_request(lambda response: response if type(response) is Own else None)
        app.get("/")(colour(lambda: EventStream(generated(colour, ["a"], pauses=0.3), heartbeat=0.1)))
        assert blocks(server.get("/"))[:2] == [":", ":"]

    def test_closes_a_generator_that_fails(self, app, server, colour):
        closed = []
        app.get("/")(colour(lambda: EventStream(generated(colour, ["a", object()], closed=closed))))
        with pytest.raises(TypeError, match="not JSON serializable"):
            server.get("/")
        assert closed == ["closed"]

    def test_closes_a_generator_that_is_not_asked_for(self, app, server, colour):
        closed = []

        class Source:
            def __iter__(self):
                return iter(())

            def close(self):
                closed.append("closed")

        class AsyncSource:
            async def __aiter__(self):
                for item in ():
                    yield item

            async def aclose(self):
                closed.append("closed")

        app.get("/")(colour(lambda: EventStream(AsyncSource() if colour.is_async else Source())))
        assert server.request("HEAD", "/").data == b""
        assert closed == ["closed"]

    def test_keeps_what_the_generator_sets_until_the_teardown(self, app, server, colour):
        """A `def` generator may run on another thread than the view: ContextVars go with it."""
        from contextvars import ContextVar

        variable = ContextVar("variable", default="unset")
        log = []
        app.teardown_request(lambda error: log.append(variable.get()))

        def events():
            yield variable.get()
            variable.set("by the generator")
            yield "x"

        async def async_events():
            yield variable.get()
            variable.set("by the generator")
            yield "x"

        @app.get("/")
        @colour
        def view():
            variable.set("by the view")
            return EventStream(stream_with_context(async_events() if colour.is_async else events()))

        assert blocks(server.get("/")) == [":", "data: by the view", "data: x"]
        assert log == ["by the generator"]


def no_threads_of_streams():
    return not [thread for thread in threading.enumerate() if thread.name == "flaskctx-events"]


def wait_until(condition, seconds=2):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


class TestUnderWSGI:
    @pytest.fixture
    def begin(self, app, colour):
        """Begin to read a stream: `begin(response)` returns the body after its first chunk."""

        def begin(make, **environ):
            app.get("/")(colour(make))
            from werkzeug.test import EnvironBuilder

            body = app({**EnvironBuilder("/").get_environ(), **environ}, lambda status, headers, exc_info=None: None)
            chunks = iter(body)
            assert next(chunks)
            return body, chunks

        return begin

    def test_a_generator_is_closed_with_the_body(self, begin, colour):
        closed = []
        body, chunks = begin(lambda: EventStream(generated(colour, ["a", "b"], closed=closed)))
        next(chunks)
        body.close()
        assert closed == ["closed"]
        wait_until(no_threads_of_streams)

    def test_a_body_that_the_server_drops_is_closed(self, begin, colour):
        closed = []
        body, chunks = begin(lambda: EventStream(generated(colour, ["a", "b"], closed=closed)))
        next(chunks)
        del body, chunks
        gc.collect()
        wait_until(lambda: closed == ["closed"])
        wait_until(no_threads_of_streams)

    def test_a_silent_stream_ends_when_the_socket_is_closed(self, begin, colour):
        import socket

        closed = []
        ours, theirs = socket.socketpair()
        items = iter(lambda: None, "never")
        body, chunks = begin(
            lambda: EventStream(generated(colour, items, pauses=0.02, closed=closed)), **{"gunicorn.socket": ours}
        )
        theirs.close()
        assert list(chunks) == []
        body.close()
        ours.close()
        assert closed == ["closed"]

    @pytest.mark.parametrize("heartbeat", [None, 10])
    def test_a_def_generator_runs_on_the_servers_thread_if_it_has_no_heartbeats(self, app, heartbeat):
        seen = set()

        def events():
            seen.add(threading.get_ident())
            yield "a"
            seen.add(threading.get_ident())

        app.get("/")(lambda: EventStream(events(), heartbeat=heartbeat))
        assert app.test_client().get("/").data == b":\n\ndata: a\n\n"
        assert (seen == {threading.get_ident()}) is (heartbeat is None)
        assert len(seen) == 1

    def test_a_worker_that_does_nothing_else_meanwhile_is_reported_once(self, app, caplog, monkeypatch):
        from flaskctx.wsgi import events

        monkeypatch.setattr(events, "_occupation_is_reported", False)
        app.get("/")(lambda: EventStream(["a"]))
        client = app.test_client()
        client.get("/", environ_overrides={"wsgi.multithread": True})
        assert caplog.text == ""
        client.get("/", environ_overrides={"wsgi.multithread": False})
        client.get("/", environ_overrides={"wsgi.multithread": False})
        assert caplog.text.count("occupies this worker process") == 1


class Client:
    """Reads a stream under ASGI; leaves, or breaks the connection, after so many chunks."""

    def __init__(self, app, stays, breaks=False):
        self._app, self._stays, self._breaks = app, stays, breaks
        self._left = anyio.Event()
        self.chunks = []

    async def receive(self):
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        if self._left.is_set():
            raise OSError("the connection is closed")
        self.chunks.append(message.get("body", b""))
        if len(self.chunks) > self._stays and not self._left.is_set():
            self._left.set()
            if self._breaks:
                raise OSError("reset by peer")

    async def get(self, path="/"):
        with anyio.fail_after(10):
            await self._app.asgi(
                {"type": "http", "method": "GET", "path": path, "headers": []}, self.receive, self.send
            )


@pytest.mark.anyio
class TestUnderASGI:
    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request):
        return request.param

    @pytest.mark.parametrize("breaks", [False, True])
    async def test_a_client_that_leaves_closes_the_generator(self, colour, breaks):
        app, closed = Flask("app"), []
        items = iter(lambda: "more", None)
        app.get("/")(colour(lambda: EventStream(generated(colour, items, pauses=0.01, closed=closed))))
        await Client(app, 5, breaks).get()
        assert closed == ["closed"]

    async def test_a_silent_async_generator_is_closed_where_it_waits(self):
        app, closed = Flask("app"), []

        @app.get("/")
        async def view():
            async def events():
                try:
                    await anyio.sleep_forever()
                    yield "never"
                finally:
                    closed.append("closed")

            return EventStream(events())

        await Client(app, 1).get()
        assert closed == ["closed"]

    async def test_a_def_generator_without_news_is_closed_when_it_says_so(self):
        app, closed = Flask("app"), []

        @app.get("/")
        def view():
            def events():
                try:
                    while True:
                        time.sleep(0.02)
                        yield None
                finally:
                    closed.append("closed")

            return EventStream(events())

        await Client(app, 1).get()
        assert closed == ["closed"]

    async def test_a_heartbeat_that_the_server_refuses_ends_the_stream(self, caplog):
        """Some servers tell of a client that has gone by nothing else."""
        app, closed = Flask("app"), []

        @app.get("/")
        async def view():
            async def events():
                try:
                    await anyio.sleep_forever()
                    yield "never"
                finally:
                    closed.append("closed")

            return EventStream(events(), heartbeat=0.05)

        client = Client(app, 2, breaks=True)
        client.receive = anyio.sleep_forever
        await client.get()
        assert closed == ["closed"]
        assert client.chunks == [b"", b":\n\n", b":\n\n"]
        assert caplog.text == ""

    async def test_heartbeats_wait_for_a_client_that_does_not_read(self):
        app = Flask("app")
        begun = 0

        @app.get("/")
        async def view():
            async def events():
                for number in range(3):
                    yield number

            return EventStream(events(), heartbeat=0.02)

        async def slow_send(message):
            nonlocal begun
            begun += 1
            assert begun == 1, "two messages at once"
            await anyio.sleep(0.1)
            begun -= 1
            bodies.append(message.get("body", b""))

        bodies = []
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        await app.asgi(scope, anyio.sleep_forever, slow_send)
        assert [body for body in bodies if body not in (b"", b":\n\n")] == [b"data: %d\n\n" % n for n in range(3)]
        assert bodies[-1] == b""

    async def test_a_timeout_around_a_yield_is_the_generators_own(self):
        app = Flask("app")

        @app.get("/")
        async def view():
            async def events():
                with anyio.move_on_after(0.05):
                    while True:
                        await anyio.sleep(0.01)
                        yield "in time"
                yield "late"

            return EventStream(events())

        client = Client(app, 1000)
        await client.get()
        assert client.chunks[-2:] == [b"data: late\n\n", b""]
