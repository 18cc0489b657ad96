"""Short cuts: whether a class may take ours, and the parts of werkzeug's objects that they set directly.

A short cut gives what werkzeug's own code would give, in less time. It is taken only where nothing that
werkzeug's code calls on the way is a subclass's own, and only on a werkzeug whose objects hold what is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.utils import get_content_type

if TYPE_CHECKING:
    from collections.abc import Iterable

# A werkzeug that keeps its headers in another way is served by its own code throughout.
HEADERS_ARE_KNOWN = vars(Headers()) == {"_list": []}

# Users add codes to werkzeug's table and may reword one, so the phrase belongs to the key.
STATUS_LINES: dict[tuple[int, str | None], str] = {
    (code, phrase): f"{code} {phrase.upper()}" for code, phrase in HTTP_STATUS_CODES.items()
}
CONTENT_TYPES: dict[str | None, tuple[str, str]] = {
    mimetype: ("Content-Type", get_content_type(mimetype, "utf-8"))
    for mimetype in (
        "text/html",
        "application/json",
        "text/plain",
        "text/css",
        "text/csv",
        "text/event-stream",
        "application/xml",
        "application/octet-stream",
    )
}

# Makes Headers without calling their constructor. Who uses it sets `_list` to pairs that are known to be text
# without line breaks.
new_headers = Headers.__new__


def defines_any(cls: type, base: type, names: Iterable[str]) -> bool:
    """Tell whether `cls` differs from `base`: defines one of `names`, or mixes in classes after `base`.

    :param names: attributes, also ones that `base` itself doesn't define.
    """
    mro, known = cls.__mro__, base.__mro__
    if mro[-len(known) :] != known:
        return True
    added = mro[: -len(known)]
    return any(name in vars(one) for one in added for name in names)


def status_line(code: int) -> str:
    """Return the status line of `code`, `200 OK`, as werkzeug writes it."""
    phrase = HTTP_STATUS_CODES.get(code)
    return f"{code} UNKNOWN" if phrase is None else f"{code} {phrase.upper()}"


def typed_items(
    headers: Any, mimetype: str | None, content_type: str | None, default: str | None
) -> list[tuple[str, str]] | None:
    """Return the pairs that a constructor starts from, the content type among them.

    :param headers: what the constructor was given, like the next two. Where both say a type, theirs counts.
    :param default: the mimetype where nothing says one.
    :returns: None where werkzeug has to look itself: other collections than dict and list, values that aren't
        single strings, line breaks (an error), a type or length that would have to be replaced, mimetypes
        that aren't in the table.
    """
    if content_type is None:
        type_pair = CONTENT_TYPES.get(default if mimetype is None else mimetype)
    else:
        type_pair = ("Content-Type", content_type)
        if not _is_plain_pair(type_pair):
            return None
    if headers is None:
        return None if type_pair is None else [type_pair]
    items, typed = _plain_pairs(headers)
    if items is None:
        return None
    if typed:
        return items if mimetype is None and content_type is None else None
    if type_pair is None:
        return None
    items.append(type_pair)
    return items


def _plain_pairs(headers: Any) -> tuple[list[tuple[str, str]] | None, bool]:
    """Return the pairs of a dict or list, and whether a content type is among them."""
    if type(headers) is dict:
        headers = headers.items()
    elif type(headers) is not list:
        return None, False
    items: list[tuple[str, str]] = []
    typed = False
    for pair in headers:
        if not _is_plain_pair(pair):
            return None, False
        name = pair[0].lower()
        if name == "content-type":
            typed = True
        elif name == "content-length":
            return None, False
        items.append(pair)
    return items, typed


def _is_plain_pair(pair: Any) -> bool:
    if type(pair) is not tuple or len(pair) != 2:
        return False
    name, value = pair
    return type(name) is str and type(value) is str and "\n" not in value and "\r" not in value
