"""examples/proxyfix_mount."""

import pytest

FORWARDED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
    "X-Forwarded-Prefix": "/outer",
}


@pytest.fixture
def app(load):
    return load("examples.proxyfix_mount.app").app


def test_the_view_knows_what_the_proxy_says(server):
    told = server.get("/", headers=FORWARDED).json
    assert told == {"url": "https://shop.example/outer/", "client": "203.0.113.7"}


@pytest.mark.parametrize(("path", "name"), [("/wsgi", "WSGI"), ("/asgi", "ASGI")])
def test_the_guests_answer_below_their_paths_and_the_proxys(server, path, name):
    text = server.get(f"{path}/a/b", headers=FORWARDED).text
    assert text == f"{name} guest at /outer{path}, asked for '/a/b'\n"


def test_real_servers_serve_all_three(serve):
    site = serve("examples.proxyfix_mount.app")
    assert site.get("/", FORWARDED).json["url"] == "https://shop.example/outer/"
    assert site.get("/wsgi/x").text == "WSGI guest at /wsgi, asked for '/x'\n"
    assert site.get("/asgi/x").text == "ASGI guest at /asgi, asked for '/x'\n"
    assert site.get("/wsgiasgi").status == 404
