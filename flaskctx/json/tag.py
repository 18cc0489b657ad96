"""Tagged JSON: JSON that brings tuples, bytes, markup, UUIDs and datetimes back as what they were.

A value that JSON has no form for is written as an object with one key, the tag, which starts with a
space: `(1, 2)` is `{" t":[1,2]}`. The sessions' cookies are written so; tags and text are those of
Flask, and each framework reads the other's cookies.

A type of your own takes a class and a line::

    class TagSet(JSONTag):
        __slots__ = ()
        key = " s"

        def check(self, value):
            return isinstance(value, set)

        def to_json(self, value):
            return [self.serializer.tag(item) for item in value]

        def to_python(self, value):
            return set(value)

    app.session_interface.serializer.register(TagSet)
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup
from werkzeug.http import http_date, parse_date

from . import dumps, loads


class JSONTag:
    """How one type of value is written and read back.

    :param serializer: the serializer that the tag is registered with; its `tag` writes what is inside.
    """

    __slots__ = ("serializer",)

    #: The tag. Empty for a type that JSON has a form for, and whose contents need tags.
    key: str = ""

    def __init__(self, serializer: TaggedJSONSerializer) -> None:
        self.serializer = serializer

    def check(self, value: Any) -> bool:
        """Tell whether this tag is for *value*."""
        raise NotImplementedError(f"{type(self).__name__} must define check()")

    def to_json(self, value: Any) -> Any:
        """Return *value* as something JSON has a form for."""
        raise NotImplementedError(f"{type(self).__name__} must define to_json()")

    def to_python(self, value: Any) -> Any:
        """Turn what `to_json` returned into the value again."""
        raise NotImplementedError(f"{type(self).__name__} must define to_python()")

    def tag(self, value: Any) -> Any:
        """Return the tagged form of *value*."""
        return {self.key: self.to_json(value)}


class TagDict(JSONTag):
    """A dict with one key that looks like a tag. The key is written with two underscores after it."""

    __slots__ = ()
    key = " di"

    def check(self, value: Any) -> bool:
        return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in self.serializer.tags

    def to_json(self, value: Any) -> Any:
        [(key, item)] = value.items()
        return {f"{key}__": self.serializer.tag(item)}

    def to_python(self, value: Any) -> Any:
        [(key, item)] = value.items()
        return {key.removesuffix("__"): item}


class PassDict(JSONTag):
    """Any other dict: no tag, but its values may need some."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, dict)

    def to_json(self, value: Any) -> Any:
        tag = self.serializer.tag
        return {key: tag(item) for key, item in value.items()}

    def tag(self, value: Any) -> Any:
        return self.to_json(value)


class TagTuple(JSONTag):
    """A tuple; a named one comes back as a plain one."""

    __slots__ = ()
    key = " t"

    def check(self, value: Any) -> bool:
        return isinstance(value, tuple)

    def to_json(self, value: Any) -> Any:
        return list(map(self.serializer.tag, value))

    def to_python(self, value: Any) -> Any:
        return tuple(value)


class PassList(JSONTag):
    """A list: no tag, but its items may need some."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, list)

    def to_json(self, value: Any) -> Any:
        return list(map(self.serializer.tag, value))

    def tag(self, value: Any) -> Any:
        return self.to_json(value)


class TagBytes(JSONTag):
    """Bytes, as base64."""

    __slots__ = ()
    key = " b"

    def check(self, value: Any) -> bool:
        return isinstance(value, bytes)

    def to_json(self, value: Any) -> Any:
        return b64encode(value).decode("ascii")

    def to_python(self, value: Any) -> Any:
        return b64decode(value)


class TagMarkup(JSONTag):
    """What has `__html__`; it comes back as `markupsafe.Markup`."""

    __slots__ = ()
    key = " m"

    def check(self, value: Any) -> bool:
        return callable(getattr(value, "__html__", None))

    def to_json(self, value: Any) -> Any:
        return str(value.__html__())

    def to_python(self, value: Any) -> Any:
        return Markup(value)


class TagUUID(JSONTag):
    """A UUID, as its 32 hexadecimal digits."""

    __slots__ = ()
    key = " u"

    def check(self, value: Any) -> bool:
        return isinstance(value, UUID)

    def to_json(self, value: Any) -> Any:
        return value.hex

    def to_python(self, value: Any) -> Any:
        return UUID(value)


class TagDateTime(JSONTag):
    """A datetime, as an HTTP date: whole seconds, and it comes back in UTC."""

    __slots__ = ()
    key = " d"

    def check(self, value: Any) -> bool:
        return isinstance(value, datetime)

    def to_json(self, value: Any) -> Any:
        return http_date(value)

    def to_python(self, value: Any) -> Any:
        return parse_date(value)


# No tag above is for exactly these types.
_UNTAGGED = frozenset({str, int, float, bool, type(None)})


class TaggedJSONSerializer:
    """Writes and reads tagged JSON, compact."""

    __slots__ = ("_standard", "order", "tags")

    #: The tags that every serializer starts with, in the order in which they are asked.
    default_tags: list[type[JSONTag]] = [
        TagDict,
        PassDict,
        TagTuple,
        PassList,
        TagBytes,
        TagMarkup,
        TagUUID,
        TagDateTime,
    ]

    def __init__(self) -> None:
        #: The tags by their key, for reading.
        self.tags: dict[str, JSONTag] = {}
        #: The tags in the order in which they are asked, for writing.
        self.order: list[JSONTag] = []
        for tag_class in self.default_tags:
            self.register(tag_class)
        own = all(tag_class.__module__ == __name__ for tag_class in self.default_tags)
        self._standard: list[JSONTag] | None = list(self.order) if own else None

    def register(self, tag_class: type[JSONTag], force: bool = False, index: int | None = None) -> None:
        """Add a tag.

        :param tag_class: its class.
        :param force: replace the tag that has the same key, if there is one.
        :param index: the place at which it is asked, 0 for first. By default it takes the place of the
            tag that it replaces, or else the last one. A subclass of a type that has a tag already
            must be asked before it.
        :raises KeyError: there is a tag with this key, and *force* is not set.
        """
        tag = tag_class(self)
        replaced = self.tags.get(tag.key)
        if replaced is not None:
            if not force:
                raise KeyError(
                    f"The tag {tag.key!r} is already registered."
                    " Pass force=True to replace it, or give yours another key."
                )
            place = self.order.index(replaced)
            del self.order[place]
            if index is None:
                index = place
        if tag.key:
            self.tags[tag.key] = tag
        self.order.insert(len(self.order) if index is None else index, tag)

    def tag(self, value: Any) -> Any:
        """Return *value* in a form that plain JSON can write."""
        # Most values; without this each of them would be shown to every tag.
        if type(value) in _UNTAGGED and self.order == self._standard:
            return value
        for tag in self.order:
            if tag.check(value):
                return tag.tag(value)
        return value

    def untag(self, value: dict[str, Any]) -> Any:
        """Return what an object stands for, if its one key is a tag; otherwise the object itself."""
        if len(value) == 1:
            [(key, item)] = value.items()
            if key in self.tags:
                return self.tags[key].to_python(item)
        return value

    def _untag_scan(self, value: Any) -> Any:
        """Untag from the inside outwards."""
        scan = self._untag_scan
        if isinstance(value, dict):
            return self.untag({key: item if type(item) in _UNTAGGED else scan(item) for key, item in value.items()})
        if isinstance(value, list):
            return [item if type(item) in _UNTAGGED else scan(item) for item in value]
        return value

    def dumps(self, value: Any) -> str:
        """Return *value* as tagged JSON text."""
        return dumps(self.tag(value), separators=(",", ":"))

    def loads(self, value: str) -> Any:
        """Return the value that a tagged JSON text stands for."""
        return self._untag_scan(loads(value))
