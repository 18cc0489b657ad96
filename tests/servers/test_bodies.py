"""Bodies of requests: they arrive whole, however they are sent, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import socket

import pytest

from .kinds import ASGI, KINDS, WSGI, by_name
from .serving import read_to_end

DATA = os.urandom(300_000)
DIGEST = {"length": len(DATA), "sha256": hashlib.sha256(DATA).hexdigest()}


def pieces():
    for start in range(0, len(DATA), 7_000):
        yield DATA[start : start + 7_000]


def test_json_arrives(live, colour):
    answer = live.post(f"/{colour}/echo", json.dumps({"a": [1, "ü"]}), {"Content-Type": "application/json"})
    assert answer.json == {"json": {"a": [1, "ü"]}}


def test_a_multipart_form_arrives(live, colour):
    body = (
        "--edge\r\nContent-Disposition: form-data; name=field\r\n\r\nvalue\r\n"
        "--edge\r\nContent-Disposition: form-data; name=file; filename=name.txt\r\n\r\ncontent\r\n--edge--\r\n"
    )
    answer = live.post(f"/{colour}/echo", body, {"Content-Type": "multipart/form-data; boundary=edge"})
    assert answer.json == {"form": {"field": "value"}, "files": {"file": "content"}}


@pytest.mark.parametrize("path", ["echo", "upload"])
def test_a_body_of_known_length_arrives_whole(live, colour, path):
    assert live.post(f"/{colour}/{path}", DATA).json == DIGEST


@pytest.mark.parametrize("path", ["echo", "upload"])
def test_a_chunked_body_arrives_whole(live, colour, path):
    assert live.post(f"/{colour}/{path}", pieces(), {"Transfer-Encoding": "chunked"}).json == DIGEST


def send_and_hang_up(live, path, headers_and_body):
    """Send a part of a request, promise no more of it, and return what the server answers."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    with live.socket((head + headers_and_body).encode()) as connected:
        connected.shutdown(socket.SHUT_WR)
        return read_to_end(connected)


@pytest.mark.parametrize("path", ["echo", "upload"])
def test_a_truncated_body_is_not_taken_for_a_complete_one(live, colour, path):
    key = f"truncated-{colour}-{path}"
    answer = send_and_hang_up(live, f"/{colour}/{path}?key={key}", "Content-Length: 1000\r\n\r\n0123456789")
    assert answer == b"" or b" 400 " in answer.partition(b"\r\n")[0]
    assert "body-of-10" not in live.journal(key)


CHUNK_WITHOUT_END = "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n"
GRANIAN = by_name["granian-wsgi"]


@pytest.mark.parametrize("live", [kind for kind in KINDS if kind is not GRANIAN], indirect=True)
@pytest.mark.parametrize("path", ["echo", "upload"])
def test_a_truncated_chunked_body_is_not_taken_for_a_complete_one(live, colour, path):
    key = f"truncated-chunks-{colour}-{path}"
    answer = send_and_hang_up(live, f"/{colour}/{path}?key={key}", CHUNK_WITHOUT_END)
    assert answer == b"" or b" 400 " in answer.partition(b"\r\n")[0]
    assert "body-of-10" not in live.journal(key)


@pytest.mark.parametrize("live", [GRANIAN], indirect=True)
def test_granian_conceals_through_wsgi_that_chunks_are_missing(live, colour):
    """Known limit: its input ends as if the body were whole. Through ASGI it tells."""
    answer = send_and_hang_up(live, f"/{colour}/echo", CHUNK_WITHOUT_END)
    assert b" 200 " in answer.partition(b"\r\n")[0]
    assert b'"length":10,' in answer


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(live, colour):
    head = f"POST /{colour}/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9999999\r\n\r\n"
    with live.socket(head.encode()) as connected:
        assert b" 413 " in read_to_end(connected).partition(b"\r\n")[0]


def send_two_cookies(live, colour):
    """Send each cookie in a header of its own; return the cookies that the view has seen."""
    head = f"GET /{colour}/cookies HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"
    with live.socket(head.encode()) as connected:
        return json.loads(read_to_end(connected).partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("live", [*ASGI, GRANIAN], indirect=True)
def test_cookies_of_several_headers_all_arrive(live, colour):
    assert send_two_cookies(live, colour) == {"a": "1", "b": "2"}


@pytest.mark.parametrize("live", [kind for kind in WSGI if kind is not GRANIAN], indirect=True)
def test_gunicorn_and_werkzeug_join_cookie_headers_by_a_comma(live, colour):
    """Known limit: joined so, nobody can tell them apart. In HTTP/1.1 a client sends one header (RFC 6265, 5.4)."""
    assert send_two_cookies(live, colour) == {"a": "1,b=2"}


def test_several_cookies_are_set(live, colour):
    cookies = live.get(f"/{colour}/cookies").headers.get_all("Set-Cookie")
    assert [cookie.partition(";")[0] for cookie in cookies] == ["first=1", "second=2"]
