"""SecureCookieSession: a dict that decodes its cookie at its first use and is closed with its request."""

import copy
import json
import pickle
import threading

import pytest

from flaskctx.json import dumps as our_dumps
from flaskctx.json.provider import DefaultJSONProvider
from flaskctx.sessions import NullSession, SecureCookieSession, SessionMixin
from flaskctx.sessions.cookie_session import SealedCookie

DATA = {"a": 1, "b": [2]}


@pytest.fixture
def session(client):
    """A session whose cookie was not looked at yet."""
    return client.open(client.cookie(**DATA))


READS = {
    "item": lambda s: s["a"] == 1,
    "get": lambda s: s.get("a") == 1 and s.get("x", 5) == 5,
    "in": lambda s: "a" in s and "x" not in s,
    "len": lambda s: len(s) == 2,
    "bool": lambda s: bool(s),
    "list": lambda s: list(s) == ["a", "b"],
    "sorted": lambda s: sorted(s) == ["a", "b"],
    "reversed": lambda s: list(reversed(s)) == ["b", "a"],
    "keys": lambda s: list(s.keys()) == ["a", "b"],
    "values": lambda s: list(s.values()) == [1, [2]],
    "items": lambda s: list(s.items()) == [("a", 1), ("b", [2])],
    "dict": lambda s: dict(s) == DATA,
    "unpacked into a dict": lambda s: {**s} == DATA,
    "unpacked into arguments": lambda s: dict(**s) == DATA,
    "update of a dict": lambda s: [d := {}, d.update(s)] and d == DATA,
    "equal": lambda s: s == DATA,
    "not equal": lambda s: s != {},
    "compared from the left": lambda s: DATA == s,  # noqa: SIM300
    "unlike from the left": lambda s: {} != s,  # noqa: SIM300
    "or": lambda s: s | {"c": 3} == {**DATA, "c": 3} and type(s | {}) is dict,
    "or from the left": lambda s: {"c": 3} | s == {**DATA, "c": 3},
    "copy method": lambda s: s.copy() == DATA and type(s.copy()) is dict,
    "copy module": lambda s: copy.copy(s) == DATA and copy.deepcopy(s) == DATA,
    "pickle": lambda s: pickle.loads(pickle.dumps(s)) == DATA,
    "json": lambda s: json.loads(json.dumps(s)) == DATA,
    "json indented": lambda s: json.loads(json.dumps(s, indent=1)) == DATA,
    "json inside something": lambda s: json.loads(json.dumps([s])) == [DATA],
    "our json": lambda s: json.loads(our_dumps(s)) == DATA,
    "repr": lambda s: repr(s) == "<SecureCookieSession {'a': 1, 'b': [2]}>",
    "str": lambda s: str(s) == "<SecureCookieSession {'a': 1, 'b': [2]}>",
    "formatted": lambda s: "{a}".format_map(s) == "1" and "%(a)s" % s == "1",  # noqa: UP031
    "permanent": lambda s: s.permanent is False,
    "pattern": lambda s: bool(matched(s)),
}


def matched(session):
    match session:
        case {"a": 1, **rest}:
            return rest == {"b": [2]}


class TestReading:
    @pytest.mark.parametrize("name", READS)
    def test_the_first_use_of_any_kind_sees_the_data(self, session, name):
        assert READS[name](session)

    @pytest.mark.parametrize("name", READS)
    def test_it_counts_as_access_and_not_as_a_change(self, session, name):
        READS[name](session)
        assert session.accessed
        assert not session.modified

    def test_nothing_is_accessed_at_first(self, session):
        assert not session.accessed
        assert not session.modified
        assert not session.new

    def test_two_unread_sessions_can_be_compared(self, client):
        cookie = client.cookie(a=1)
        assert client.open(cookie) == client.open(cookie)
        assert client.open(cookie) != client.open(client.cookie(a=2))

    def test_it_is_a_dict_and_a_session(self, session):
        assert isinstance(session, dict)
        assert isinstance(session, SessionMixin)

    def test_it_has_no_hash_as_a_dict_has_none(self, session):
        with pytest.raises(TypeError):
            hash(session)

    def test_code_that_reads_a_dicts_memory_fails_instead_of_seeing_nothing(self, session):
        assert dict.__len__(session) == 1
        with pytest.raises(TypeError):
            json.dumps(list(dict.keys(session)))

    def test_it_is_decoded_once(self, client, monkeypatch):
        opened = []
        original = SealedCookie.open
        monkeypatch.setattr(SealedCookie, "open", lambda self: opened.append(1) or original(self))
        session = client.open(client.cookie(a=1))
        assert opened == []
        session["a"], session.get("a"), len(session), session.update(b=2)
        assert opened == [1]

    def test_initial_data_is_no_change(self):
        session = SecureCookieSession({"a": 1})
        assert (session["a"], session.modified) == (1, False)


CHANGES = {
    "set": (lambda s: s.__setitem__("c", 3), {"a": 1, "b": [2], "c": 3}),
    "delete": (lambda s: s.__delitem__("a"), {"b": [2]}),
    "pop": (lambda s: s.pop("a"), {"b": [2]}),
    "popitem": (lambda s: s.popitem(), {"a": 1}),
    "clear": (lambda s: s.clear(), {}),
    "update": (lambda s: s.update({"a": 0}, c=3), {"a": 0, "b": [2], "c": 3}),
    "update with nothing": (lambda s: s.update(), DATA),
    "setdefault": (lambda s: s.setdefault("c", 3), {"a": 1, "b": [2], "c": 3}),
    "or": (lambda s: s.__ior__({"c": 3}), {"a": 1, "b": [2], "c": 3}),
    "permanent": (lambda s: setattr(s, "permanent", 1), {"a": 1, "b": [2], "_permanent": True}),
    "modified": (lambda s: setattr(s, "modified", True), DATA),
}
NO_CHANGES = {
    "pop of nothing": lambda s: s.pop("x", None),
    "setdefault of what is there": lambda s: s.setdefault("a", 5),
}


class TestChanging:
    @pytest.mark.parametrize("name", CHANGES)
    def test_the_first_use_may_be_a_change(self, session, name):
        change, expected = CHANGES[name]
        change(session)
        assert session.modified
        assert session == expected

    @pytest.mark.parametrize("name", NO_CHANGES)
    def test_what_changes_nothing_is_not_noted(self, session, name):
        NO_CHANGES[name](session)
        assert not session.modified
        assert session.accessed

    @pytest.mark.parametrize("change", [lambda s: s.pop("x"), lambda s: s.__delitem__("x")])
    def test_what_fails_is_not_noted(self, session, change):
        with pytest.raises(KeyError):
            change(session)
        assert not session.modified

    def test_a_change_inside_a_value_is_noted_by_hand(self, session):
        session["b"].append(3)
        assert not session.modified
        session.modified = True
        assert session.modified

    def test_the_in_place_or_gives_the_session_itself(self, session):
        same = session
        same |= {"c": 3}
        assert same is session


class TestAfterTheRequest:
    @pytest.mark.parametrize("name", READS)
    def test_reading_works(self, session, name):
        session._close()
        assert READS[name](session)

    @pytest.mark.parametrize("change", [change for change, _ in CHANGES.values()] + list(NO_CHANGES.values()))
    def test_a_change_raises_and_says_why(self, session, change):
        session._close()
        with pytest.raises(RuntimeError, match="its request has ended"):
            change(session)
        assert session == DATA

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s)), dict])
    def test_a_copy_can_be_changed(self, session, duplicate):
        session._close()
        copied = duplicate(session)
        copied["c"] = 3
        assert "c" not in session

    def test_other_kinds_of_session_are_closed_without_effect(self):
        class Stored(dict, SessionMixin):
            pass

        stored = Stored()
        stored._close()
        stored["a"] = 1


class TestCopies:
    def test_a_copy_remembers_what_was_done(self, session):
        session["c"] = 3
        session.label = "set by an extension"
        copied = copy.copy(session)
        assert type(copied) is SecureCookieSession
        assert (copied.accessed, copied.modified, copied.label) == (True, True, "set by an extension")

    def test_a_shallow_copy_shares_values_and_a_deep_one_does_not(self, session):
        assert copy.copy(session)["b"] is session["b"]
        assert copy.deepcopy(session)["b"] is not session["b"]


class TestThreads:
    def test_a_late_decoder_does_not_undo_a_change(self, client):
        """Both threads find the session sealed; one decodes and writes before the other is done decoding."""
        session = client.open(client.cookie(a=1))
        sealed = session._sealed
        late_is_decoding, change_is_made = threading.Event(), threading.Event()
        late = threading.Thread(target=lambda: session.get("a"))

        class Slow:
            def open(self):
                if threading.current_thread() is late:
                    late_is_decoding.set()
                    change_is_made.wait(10)
                return sealed.open()

        session._sealed = Slow()
        late.start()
        assert late_is_decoding.wait(10)
        session["a"] = 2
        change_is_made.set()
        late.join()
        assert dict(session) == {"a": 2}

    def test_many_first_readers_see_the_same(self, client):
        cookie = client.cookie(**DATA)
        for _ in range(20):
            session = client.open(cookie)
            seen = []
            start = threading.Barrier(4)

            def read(session=session, seen=seen, start=start):
                start.wait()
                seen.append(dict(session))

            threads = [threading.Thread(target=read) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert seen == [DATA] * 4


class TestNullSession:
    @pytest.fixture
    def null(self):
        return NullSession()

    def test_it_reads_as_empty(self, null):
        assert null == {}
        assert not null
        assert null.get("a") is None
        assert null.permanent is False
        assert list(null) == []

    @pytest.mark.parametrize(
        "change",
        [change for name, (change, _) in CHANGES.items() if name != "modified"] + list(NO_CHANGES.values()),
    )
    def test_a_change_says_that_a_secret_key_is_missing(self, null, change):
        with pytest.raises(RuntimeError, match=r"session is unavailable .* has no secret key"):
            change(null)

    def test_it_is_a_session(self, null):
        assert isinstance(null, SecureCookieSession)


def test_a_json_provider_writes_an_unread_session(session, app):
    assert DefaultJSONProvider(app).dumps(session) == '{"a": 1, "b": [2]}'
