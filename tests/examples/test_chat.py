"""examples/chat, in this process and in two pages of a browser."""

from __future__ import annotations

import pytest

from flaskctx.testing import WebsocketRejected

from ..servers.kinds import by_name


@pytest.fixture(params=["uvicorn-uvloop-httptools", "hypercorn-asyncio"])
def kind(request):
    return by_name[request.param]


@pytest.fixture
def chat(load):
    return load("examples.chat.app")


def visitor(chat, name):
    """Return a client that has told its name."""
    client = chat.app.test_client()
    assert client.post("/", data={"name": name, "room": "lobby"}).location == "/rooms/lobby"
    return client


def test_what_one_says_is_heard_by_all_of_the_room(chat):
    ann, bob, other = (visitor(chat, name) for name in ("Ann", "Bob", "Cid"))
    path = "/rooms/lobby/socket"
    with other.websocket("/rooms/elsewhere/socket") as elsewhere, ann.websocket(path) as one:
        assert one.receive_json()["names"] == ["Ann"]
        with bob.websocket(path) as two:
            assert [two.receive_json()["name"] for _ in range(2)] == ["Ann", "Bob"]
            assert one.receive_json()["names"] == ["Ann", "Bob"]
            two.send("hello")
            for socket in (one, two):
                said = socket.receive_json()
                assert (said["kind"], said["name"], said["text"]) == ("said", "Bob", "hello")
        assert one.receive_json()["kind"] == "out"
        elsewhere.receive_json()
        elsewhere.close()
        assert list(elsewhere) == []
    assert chat.rooms == {}


def test_who_has_no_name_is_rejected(chat):
    with pytest.raises(WebsocketRejected) as rejected, chat.app.test_client().websocket("/rooms/lobby/socket"):
        pass
    assert rejected.value.response.status_code == 401


def test_pages_of_other_sites_are_rejected(chat):
    ann = visitor(chat, "Ann")
    with (
        pytest.raises(WebsocketRejected) as rejected,
        ann.websocket("/rooms/lobby/socket", headers={"Origin": "https://evil.example"}),
    ):
        pass
    assert rejected.value.response.status_code == 403


def test_two_pages_talk(serve, browser):
    server = serve("examples.chat.app")
    root = f"http://127.0.0.1:{server.port}"
    browser.open(f"{root}/")
    browser.fill_in("[name=name]", "Ann")
    browser.follow("form button")
    browser.wait_for("document.querySelector('#names').innerText === 'Ann'")
    with browser.another_page() as other:
        other.open(f"{root}/rooms/lobby")
        other.wait_for("!document.querySelector('#say button').disabled")
        other.fill_in("#say input", "hello from the other <b>tab</b>")
        other.click("#say button")
        other.wait_for("document.querySelector('.said p') !== null")
    browser.wait_for("document.querySelector('.said p')?.innerText === 'hello from the other <b>tab</b>'")
    browser.wait_for("[...document.querySelectorAll('.out')].length === 1")
    browser.follow("header a")
    assert browser.complaints == []
