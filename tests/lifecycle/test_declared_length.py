"""What a request's Content-Length may say (RFC 9112, section 6.3): a body is never taken for a shorter one."""

from __future__ import annotations

import pytest

from flaskctx import request


def post(server, length):
    return server.request("POST", "/", data=b"hello", environ_overrides={"CONTENT_LENGTH": length})


@pytest.fixture(params=[False, True], ids=["received", "stream"])
def echo(request, app, colour):
    """A view that answers with the body; some read it from the server themselves."""
    _add_echo(app, colour, request.param)


def _add_echo(app, colour, stream):
    @app.post("/", stream=stream)
    def view():
        return request.get_data()

    @app.post("/", stream=stream)
    async def async_view():
        return b"".join([chunk async for chunk in request.stream])

    app.view_functions["view"] = app.view_functions["async_view"] if colour.is_async else view


@pytest.mark.parametrize("length", ["5", "05", "5,5", "5, 5", "5,5,5"])
def test_the_same_length_several_times_is_that_length(server, echo, length):
    answer = post(server, length)
    assert (answer.status_code, answer.text) == (200, "hello")


@pytest.mark.parametrize("length", ["5,6", "-5", "+5", "5.0", "five", "0x5", "5,", ",", "²", "5 5", "1_0", "9" * 30])
def test_anything_else_is_a_400(app, server, echo, length):
    app.register_error_handler(400, lambda error: (f"refused: {error.description}", 400))
    answer = post(server, length)
    assert answer.status_code == 400
    assert "Content-Length" in answer.text


def test_it_can_be_asked_for(app, server, colour):
    app.post("/")(colour(lambda: str(request.content_length)))
    assert post(server, "5,5").text == "5"
