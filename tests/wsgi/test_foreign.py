"""flaskctx/wsgi/foreign.py: contexts that a server's thread carries around are reported once each."""

from __future__ import annotations

import gc
from contextvars import copy_context

from flaskctx import g
from flaskctx.globals import _app_ctx_stack
from flaskctx.wsgi.foreign import _reported

GET = {
    "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
    "wsgi.url_scheme": "http", "wsgi.input": None,
}  # fmt: skip


def serve(app):
    return b"".join(app(dict(GET), lambda *args: None))


def test_nothing_is_kept_of_one_that_is_gone(app, monkeypatch):
    reports = []
    monkeypatch.setattr(app.logger, "warning", lambda message, *args: reports.append(message))
    app.get("/")(lambda: "hello")
    for count in (1, 2, 3):
        with app.app_context():
            assert serve(app) == serve(app) == b"hello"
        assert len(reports) == count
        gc.collect()
        assert len(_reported) == 0


def test_what_has_ended_is_hidden_without_a_word(app, caplog):
    """uvicorn may begin a connection's next request in a copy of the Context of the one before."""
    copies, seen, torn_down = [], [], []
    app.teardown_appcontext(lambda error: torn_down.append(g.get("word")))

    @app.get("/")
    def view():
        seen.append(g.get("word"))
        g.word = f"word {len(seen)}"
        copies.append(copy_context())
        return "hello"

    assert serve(app) == b"hello"
    assert copies[0].run(serve, app) == b"hello"
    assert seen == [None, None]
    assert torn_down == ["word 1", "word 2"]
    assert caplog.text == ""


def test_what_is_no_context_at_all_is_hidden_too(app, caplog):
    app.get("/")(lambda: "hello")
    _app_ctx_stack.push(("a", "tool's", "own"))
    try:
        assert serve(app) == b"hello"
    finally:
        _app_ctx_stack.pop()
    assert "a tool" not in caplog.text
    assert "never popped" in caplog.text
