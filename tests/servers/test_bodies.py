"""Bodies of requests: they arrive whole, however they are sent, or not at all."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

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


@pytest.mark.parametrize(
    "request_text",
    ["Content-Length: 1000\r\n\r\n0123456789", "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n"],
    ids=["of known length", "chunked"],
)
@pytest.mark.parametrize("path", ["echo", "upload"])
def test_a_truncated_body_is_not_taken_for_a_complete_one(live, colour, request_text, path):
    key = f"{colour}-{path}-{len(request_text)}"
    head = f"POST /{colour}/{path}?key={key} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    with live.socket((head + request_text).encode()) as connected:
        connected.shutdown(1)
        status_line = read_to_end(connected).partition(b"\r\n")[0]
    assert status_line == b"" or b" 400 " in status_line
    assert "body-of-10" not in live.journal(key)


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(live, colour):
    head = f"POST /{colour}/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9999999\r\n\r\n"
    with live.socket(head.encode()) as connected:
        assert b" 413 " in read_to_end(connected).partition(b"\r\n")[0]


def test_cookies_of_several_headers_all_arrive(live, colour):
    head = f"GET /{colour}/cookies HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"
    with live.socket(head.encode()) as connected:
        body = read_to_end(connected).partition(b"\r\n\r\n")[2]
    assert json.loads(body) == {"a": "1", "b": "2"}


def test_several_cookies_are_set(live, colour):
    cookies = live.get(f"/{colour}/cookies").headers.get_all("Set-Cookie")
    assert [cookie.partition(";")[0] for cookie in cookies] == ["first=1", "second=2"]
