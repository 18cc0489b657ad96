"""KeptSerializer: itsdangerous' text, with the keys derived once."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import (
    BadSignature,
    BadTimeSignature,
    SignatureExpired,
    URLSafeSerializer,
    URLSafeTimedSerializer,
)

from flaskctx.sessions.signing import KeptSerializer

DERIVATIONS = ["hmac", "concat", "django-concat", "none"]
PAYLOADS = [{}, {"a": 1}, {"a": "x" * 500}, {"a": "é"}, [1, 2], "text", None, {"a": "0123456789abcdef" * 8}]


def make(cls, secret_key="secret", **signer_kwargs):
    return cls(secret_key, salt="salt", signer_kwargs=signer_kwargs)


@pytest.fixture
def clock(monkeypatch):
    """Move the time: the fixture is the list of seconds that have gone by."""
    gone = [0]
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: 1_700_000_000 + gone[0])
    return gone


@pytest.fixture
def kept():
    return make(KeptSerializer)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: repr(payload)[:20])
@pytest.mark.parametrize("derivation", DERIVATIONS)
def test_each_reads_what_the_other_wrote(payload, derivation):
    kept = make(KeptSerializer, key_derivation=derivation)
    plain = make(URLSafeTimedSerializer, key_derivation=derivation)
    assert plain.loads(kept.dumps(payload), max_age=10) == payload
    assert kept.loads(plain.dumps(payload), max_age=10) == payload


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=200), max_size=4))
def test_whatever_the_data_is(payload):
    kept, plain = make(KeptSerializer), make(URLSafeTimedSerializer)
    text = kept.dumps(payload)
    assert kept.loads(text) == plain.loads(text) == kept.loads(plain.dumps(payload)) == payload


def test_what_does_not_shrink_is_signed_as_itsdangerous_does(clock, kept):
    assert kept.dumps({"a": 1}) == make(URLSafeTimedSerializer).dumps({"a": 1})


def test_what_shrinks_is_as_short_as_zlib_makes_it(clock, kept):
    for payload in (
        {"cart": [{"id": n, "name": f"thing {n}"} for n in range(99)]},
        {"id": "0123456789abcdef" * 8},
    ):
        assert kept.dumps(payload).startswith(".")
        assert len(kept.dumps(payload)) == len(make(URLSafeTimedSerializer).dumps(payload))


def test_the_smaller_window_is_read_with_zlibs_default():
    deflate = zlib.compressobj(wbits=12, memLevel=5)
    assert zlib.decompress(deflate.compress(b"a" * 9000) + deflate.flush()) == b"a" * 9000


def test_the_newest_key_signs_and_the_older_ones_verify():
    old, new = make(KeptSerializer, ["old"]), make(KeptSerializer, ["new"])
    both = make(KeptSerializer, ["old", "new"])
    assert both.loads(old.dumps(1)) == 1
    assert new.loads(both.dumps(1)) == 1
    with pytest.raises(BadSignature):
        old.loads(both.dumps(1))


def outcome(serializer, text, max_age):
    try:
        return serializer.loads(text, max_age=max_age)
    except BadSignature as error:
        return type(error), str(error)


DAMAGES = [
    lambda text: text[:-1],
    lambda text: text + "A",
    lambda text: "A" + text,
    lambda text: text.replace(".", "", 1),
    lambda text: text.rpartition(".")[0],
    lambda text: text.upper(),
    lambda text: "",
    lambda text: ".",
    lambda text: "..",
    lambda text: "é" + text,
]


@pytest.mark.parametrize("max_age", [None, 10])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_text_is_refused(kept, clock, damage, max_age):
    text = damage(kept.dumps({"a": 1}))
    with pytest.raises(BadSignature):
        kept.loads(text, max_age=max_age)
    assert outcome(kept, text, max_age) == outcome(make(URLSafeTimedSerializer), text, max_age)


@pytest.mark.parametrize("tail", ["=", "!", "é", " "])
def test_a_signature_in_another_spelling_is_taken_as_itsdangerous_takes_it(kept, tail):
    text = kept.dumps(1) + tail
    assert outcome(kept, text, 10) == outcome(make(URLSafeTimedSerializer), text, 10)


def test_age_is_counted_in_whole_seconds(kept, clock):
    text = kept.dumps(1)
    clock[0] = 10
    assert kept.loads(text, max_age=10) == 1
    clock[0] = 11
    with pytest.raises(SignatureExpired):
        kept.loads(text, max_age=10)
    assert kept.loads(text) == 1


def test_a_text_from_the_future_is_refused(kept, clock):
    text = kept.dumps(1)
    clock[0] = -1
    with pytest.raises(SignatureExpired):
        kept.loads(text, max_age=10)


def test_a_text_without_a_time_is_refused(kept):
    with pytest.raises(BadTimeSignature):
        kept.loads(URLSafeSerializer("secret", salt="salt", signer_kwargs={}).dumps(1), max_age=10)


def test_the_same_signature_over_a_nonsense_time_is_refused(kept):
    text = kept.make_signer().get_signature(b"MQ.!!").decode()
    with pytest.raises(BadTimeSignature):
        kept.loads(f"MQ.!!.{text}", max_age=10)


def test_the_time_of_signing_can_be_asked_for(kept, clock):
    payload, moment = kept.loads(kept.dumps(1), return_timestamp=True)
    assert (payload, moment.timestamp()) == (1, 1_700_000_000)


def test_another_salt_can_be_given(kept):
    plain = make(URLSafeTimedSerializer)
    assert kept.loads(plain.dumps(1, salt="other"), salt="other") == 1
    assert plain.loads(kept.dumps(1, salt="other"), salt="other") == 1
    with pytest.raises(BadSignature):
        kept.loads(kept.dumps(1, salt="other"))


def test_keys_are_derived_once(monkeypatch):
    kept = make(KeptSerializer, ["old", "new"])
    digest = kept.make_signer().digest_method
    old_text = make(URLSafeTimedSerializer, ["old"]).dumps(1)
    kept.loads(old_text)

    calls = []
    monkeypatch.setattr(kept.make_signer(), "digest_method", lambda *a: calls.append(a) or digest(*a))
    kept.loads(kept.dumps(1))
    kept.loads(old_text)
    assert calls == []
