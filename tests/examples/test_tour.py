"""examples/tour, in this process and in a browser."""

import hashlib

import pytest


@pytest.fixture
def tour(load, monkeypatch):
    """The example's module, with short streams."""
    module = load("examples.tour.app")
    monkeypatch.setattr(module, "LINES", 3)
    return module


@pytest.fixture
def app(tour):
    return tour.app


def test_the_page_shows_the_views_of_which_it_tells(server):
    page = server.get("/")
    assert page.status_code == 200
    assert "async def wait_async():" in page.text
    assert "/static/tour.css" in page.text


def test_the_page_loads_nothing_from_elsewhere(server):
    page = server.get("/").text
    static = [server.get(f"/static/tour.{kind}") for kind in ("css", "js")]
    assert [file.status_code for file in static] == [200, 200]
    assert "http" not in page + "".join(file.text for file in static)


def test_it_tells_the_protocol(server):
    assert server.get("/server").json["protocol"] == ("ASGI" if server.is_asgi else "WSGI")


@pytest.mark.parametrize("kind", ["def", "async"])
def test_concurrent_requests_see_their_own_request_and_g(server, kind):
    requests = [("GET", f"/wait/{kind}?number={number}") for number in range(20)]
    seen = [answer.json for answer in server.concurrently(requests)]
    assert [(one["request"], one["g"]) for one in seen] == [(number, number) for number in range(20)]
    took = max(one["ended"] for one in seen) - min(one["began"] for one in seen)
    assert took < sum(one["ended"] - one["began"] for one in seen) / 2, "they did not overlap"


def test_the_session_counts_and_forgets(server):
    first = server.request("POST", "/count")
    second = server.request("POST", "/count", headers={"Cookie": first.cookies})
    assert (first.json, second.json) == ({"count": 1}, {"count": 2})
    last = server.request("DELETE", "/count", headers={"Cookie": second.cookies})
    assert last.json == {"count": 0}
    assert "session=;" in last.headers["Set-Cookie"]


def test_the_upload_is_hashed_piece_by_piece(server):
    data = bytes(range(256)) * 1000
    told = server.request("POST", "/upload", data=data).json
    assert (told["size"], told["sha256"]) == (256_000, hashlib.sha256(data).hexdigest())
    assert told["largest_chunk"] <= 65536


@pytest.mark.parametrize("kind", ["def", "async"])
def test_the_streams_know_their_request_to_the_end(tour, server, kind):
    text = server.get(f"/stream/{kind}?name=me").text
    assert [line.partition(",")[0] for line in text.splitlines()] == ["1 for me", "2 for me", "3 for me"]
    assert server.get("/streams").json == {"finished": 1, "left": 0}


def test_in_a_browser(serve, browser, kind):
    tour = serve("examples.tour.app")
    browser.open(f"http://127.0.0.1:{tour.port}/")
    browser.wait_for("document.querySelector('#server').innerText.includes('over')")
    assert f"over {kind.protocol.upper()}" in browser.text("#server")
    assert kind.name.partition("-")[0] in browser.text("#server")

    click(browser, "concurrency")
    for lanes in ("#lanes-def", "#lanes-async"):
        assert "20 of 20 saw their own request and g: up to 6 at once" in browser.text(lanes)

    click(browser, "session")
    click(browser, "session")
    assert browser.text("#session output") == "2"
    browser.open(f"http://127.0.0.1:{tour.port}/")
    click(browser, "session")
    assert browser.text("#session output") == "3"

    click(browser, "upload")
    assert "The hashes agree: 8,000,000 bytes" in browser.text("#upload output")

    click(browser, "stream")
    for pane in ("#stream-def", "#stream-async"):
        assert "Shown as it came: " in browser.text(pane)
        assert browser.text(f"{pane} .live").splitlines()[-1].startswith("24 for ")

    click(browser, "stream", wait=False)
    for pane in ("#stream-def", "#stream-async"):
        browser.wait_for(f"document.querySelector('{pane} figcaption').innerText.includes('so far')")
    browser.click("#stop")
    browser.wait_for(state_of("stream", "ok"))
    for pane in ("#stream-def", "#stream-async"):
        assert "the server has closed the generator" in browser.text(pane)
    assert browser.complaints == []


def test_a_file_is_uploaded_in_a_browser(serve, browser, tmp_path):
    tour = serve("examples.tour.app")
    file = tmp_path / "file"
    file.write_bytes(b"flaskctx" * 1000)
    browser.open(f"http://127.0.0.1:{tour.port}/")
    browser.choose_file("#file", file)
    browser.wait_for(state_of("upload", "ok"))
    assert hashlib.sha256(file.read_bytes()).hexdigest() in browser.text("#upload output")


def click(browser, section, wait=True):
    """Press a section's button, and wait until what it does went well."""
    browser.click(f"#{section} button")
    if wait:
        browser.wait_for(f"!document.querySelector('#{section} button').disabled")
        assert browser.evaluate(state_of(section, "ok")), browser.text(f"#{section}")


def state_of(section, state):
    return f"document.getElementById('{section}').dataset.state === '{state}'"
