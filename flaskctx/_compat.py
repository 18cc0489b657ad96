"""The names by which extensions of Flask 1 imported what differed between Python 2 and 3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import StringIO
from types import TracebackType
from typing import NoReturn, TypeVar

__all__ = [
    "PY2",
    "StringIO",
    "integer_types",
    "iteritems",
    "iterkeys",
    "itervalues",
    "reraise",
    "string_types",
    "text_type",
]

K = TypeVar("K")
V = TypeVar("V")

PY2 = False
text_type = str
string_types = (str,)
integer_types = (int,)


def iterkeys(d: Mapping[K, V]) -> Iterator[K]:
    """Iterate over the keys of a mapping."""
    return iter(d.keys())


def itervalues(d: Mapping[K, V]) -> Iterator[V]:
    """Iterate over the values of a mapping."""
    return iter(d.values())


def iteritems(d: Mapping[K, V]) -> Iterator[tuple[K, V]]:
    """Iterate over the items of a mapping."""
    return iter(d.items())


def reraise(tp: type[BaseException], value: BaseException, tb: TracebackType | None = None) -> NoReturn:
    """Raise an exception with a traceback; its type is known from the exception itself."""
    raise value.with_traceback(tb)
