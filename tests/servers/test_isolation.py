"""Concurrent requests to a real server: each sees its own request, session and g, wherever its code runs."""

from __future__ import annotations

from .serving import at_once


def test_each_request_sees_its_own_world(live, colour):
    def ask(key):
        answer = live.get(f"/{colour}/whoami", {"X-Key": key, "Cookie": f"key={key}"}, key=key, seconds=0.02)
        assert answer.status == 200, answer.text
        assert answer.headers["X-Key"] == key
        assert answer.json["before"] is None
        for seen in answer.json["seen"]:
            assert set(seen.values()) == {key}
        return len(answer.json["seen"])

    counts = at_once(ask, [f"{colour}-{number}" for number in range(32)])
    assert set(counts) == {2 if colour == "def" else 4}


def test_each_client_has_its_own_session(live, colour):
    def visit_twice(key):
        headers = {"X-Key": key}
        first = live.get(f"/{colour}/whoami", headers, key=key)
        headers["Cookie"] = first.headers["Set-Cookie"].partition(";")[0]
        return live.get(f"/{colour}/whoami", headers, key=key).json["before"]

    keys = [f"session-{number}" for number in range(16)]
    assert at_once(visit_twice, keys) == keys
