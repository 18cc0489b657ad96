"""flaskctx.json.tag: what comes back as what it was, in the text that Flask writes and reads."""

import collections
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask.json.tag import TaggedJSONSerializer as FlasksSerializer
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from flaskctx.json.tag import JSONTag, PassDict, TagDateTime, TagDict, TaggedJSONSerializer, TagTuple

from ..ids import shown

Named = collections.namedtuple("Named", "a b")


class OwnDict(dict):
    pass


class OwnText(str):
    pass


class HasHtml:
    def __html__(self):
        return "<b>"


COMES_BACK = [
    None,
    1,
    1.5,
    True,
    "text é\u2028",
    [1, [2]],
    {"a": {"b": 1}},
    {},
    [],
    (),
    (1, (2, [3, (4,)])),
    b"\x00\xff",
    Markup("<b>"),
    uuid.UUID(int=3),
    datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
    {"a": (1, b"2")},
    {" t": 1},
    {" t": (1,)},
    {" di": 1},
    {" t__": 1},
    {" di": {" di": 1}},
    {" t": 1, "other": 2},
    {" unknown": 1},
    {"": 1},
]
COMES_BACK_CHANGED = [
    (Named(1, 2), (1, 2)),
    (datetime(2024, 1, 2, 3, 4, 5, 678), datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
    (datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), datetime(2024, 1, 2, 1, tzinfo=UTC)),
    (HasHtml(), Markup("<b>")),
    ({1: 2}, {"1": 2}),
    (OwnDict(a=1), {"a": 1}),
    (OwnText("x"), "x"),
]


class Money:
    def __init__(self, amount):
        self.amount = amount


class TagMoney(JSONTag):
    __slots__ = ()
    key = " money"

    def check(self, value):
        return isinstance(value, Money)

    def to_json(self, value):
        return self.serializer.tag(value.amount)

    def to_python(self, value):
        return Money(value)


@pytest.fixture
def serializer():
    return TaggedJSONSerializer()


@pytest.mark.parametrize("value", COMES_BACK, ids=shown)
def test_comes_back_as_it_was(serializer, value):
    back = serializer.loads(serializer.dumps(value))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(("value", "expected"), COMES_BACK_CHANGED, ids=shown)
def test_comes_back_as_the_nearest_thing(serializer, value, expected):
    back = serializer.loads(serializer.dumps(value))
    assert back == expected
    assert type(back) is type(expected)


@pytest.mark.parametrize("value", [*COMES_BACK, *(value for value, _ in COMES_BACK_CHANGED)], ids=shown)
def test_the_text_is_flasks(serializer, value):
    assert serializer.dumps(value) == FlasksSerializer().dumps(value)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.uuids()
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from([" t", " di", " t__", " b", "a", "b", " x", ""]), inner, max_size=2)
    ),
    max_leaves=8,
)


@given(values)
def test_flask_writes_the_same_text_and_reads_the_same_value(value):
    ours, flasks = TaggedJSONSerializer(), FlasksSerializer()
    text = ours.dumps(value)
    assert text == flasks.dumps(value)
    assert ours.loads(text) == flasks.loads(text)


@pytest.mark.parametrize("value", [{1}, object(), 1j])
def test_a_type_without_a_tag_raises(serializer, value):
    with pytest.raises(TypeError, match="not JSON serializable"):
        serializer.dumps(value)


def test_in_an_application_its_provider_writes_the_text(serializer, current):
    current.json.ensure_ascii = False
    assert serializer.dumps({"b": ("é",), "a": 1}) == '{"a":1,"b":{" t":["é"]}}'


def test_untag_looks_at_one_level(serializer):
    assert serializer.untag({" t": [{" t": []}]}) == ({" t": []},)
    assert serializer.untag({" t": [], "other": 1}) == {" t": [], "other": 1}


class TestRegister:
    def test_a_type_of_ones_own(self, serializer):
        serializer.register(TagMoney)
        back = serializer.loads(serializer.dumps({"price": [Money((1, "EUR"))]}))
        assert back["price"][0].amount == (1, "EUR")

    def test_a_key_is_registered_once(self, serializer):
        serializer.register(TagMoney)
        with pytest.raises(KeyError, match="' money' is already registered"):
            serializer.register(TagMoney)

    def test_force_replaces_for_writing_and_reading(self, serializer):
        class TagExactDateTime(TagDateTime):
            __slots__ = ()

            def to_json(self, value):
                return value.isoformat()

            def to_python(self, value):
                return datetime.fromisoformat(value)

        serializer.register(TagExactDateTime, force=True)
        moment = datetime(2024, 1, 2, 3, 4, 5, 678)
        assert serializer.loads(serializer.dumps(moment)) == moment

    def test_a_replacement_takes_the_place_of_what_it_replaces(self, serializer):
        class OtherTagDict(TagDict):
            __slots__ = ()

        serializer.register(OtherTagDict, force=True)
        assert type(serializer.order[0]) is OtherTagDict
        assert serializer.dumps({" t": 1}) == '{" di":{" t__":1}}'

    def test_index_says_when_it_is_asked(self, serializer):
        class TagNamed(JSONTag):
            __slots__ = ()
            key = " n"

            def check(self, value):
                return isinstance(value, Named)

            def to_json(self, value):
                return list(value)

            def to_python(self, value):
                return Named(*value)

        serializer.register(TagNamed, index=0)
        back = serializer.loads(serializer.dumps([Named(1, 2), (1, 2)]))
        assert [type(item) for item in back] == [Named, tuple]

    def test_a_tag_can_take_a_type_that_has_none(self, serializer):
        class TagLoud(JSONTag):
            __slots__ = ()
            key = " !"

            def check(self, value):
                return isinstance(value, str)

            def to_json(self, value):
                return value.lower()

            def to_python(self, value):
                return value.upper()

        serializer.register(TagLoud)
        assert serializer.loads(serializer.dumps(["QUIET"])) == ["QUIET"]
        assert serializer.dumps(["QUIET"]) == '[{" !":"quiet"}]'

    def test_order_may_be_changed_by_hand(self, serializer):
        serializer.register(TagMoney)
        serializer.order.clear()
        assert serializer.tag((1,)) == (1,)

    def test_a_tag_without_a_key_only_prepares(self, serializer):
        class PassMoney(JSONTag):
            __slots__ = ()

            def check(self, value):
                return isinstance(value, Money)

            def tag(self, value):
                return value.amount

        serializer.register(PassMoney)
        serializer.register(PassMoney)
        assert serializer.dumps(Money(1)) == "1"

    def test_two_serializers_do_not_share_tags(self, serializer):
        serializer.register(TagMoney)
        assert " money" not in TaggedJSONSerializer().tags

    def test_default_tags_can_be_set_in_a_subclass(self):
        class Serializer(TaggedJSONSerializer):
            default_tags = [TagMoney, PassDict, TagTuple]

        assert list(Serializer().tags) == [" money", " t"]


@pytest.mark.parametrize("method", ["check", "to_json", "to_python", "tag"])
def test_a_tag_has_to_define_its_methods(serializer, method):
    with pytest.raises(NotImplementedError, match="JSONTag must define"):
        getattr(JSONTag(serializer), method)(1)
