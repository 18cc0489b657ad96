"""For type checkers only: what the proxies are to them."""

from __future__ import annotations

from typing import assert_type

from flaskctx import Flask, Request, current_app, g, request, session
from flaskctx.ctx import AppContext, RequestContext
from flaskctx.globals import app_ctx, request_ctx


def use_the_proxies() -> None:
    assert_type(request.method, str)
    assert_type(request._get_current_object(), Request)
    assert_type(current_app.name, str)
    assert_type(current_app._get_current_object(), Flask)
    assert_type(app_ctx._get_current_object(), AppContext)
    assert_type(request_ctx._get_current_object(), RequestContext)
    session["user"] = 1
    assert_type(session.permanent, bool)
    g.anything = "set at will"
    g.get("anything", None)


async def use_contexts(app: Flask) -> None:
    with app.app_context() as by_hand:
        assert_type(by_hand, AppContext)
    async with app.test_request_context("/") as awaited:
        assert_type(awaited, RequestContext)
