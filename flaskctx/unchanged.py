"""Whether classes and objects still have the functions that they had: tests quick enough to be made for each request.

A tool may patch a class at any time, and its wrapper may say that it is equal to what it wraps. So nothing is
remembered between two requests, and functions are compared by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self


class Unchanged:
    """Collects what is to be compared, and makes a function that does so.

    What is made is `one.push is push and one.pop is pop`, written out: a loop would take twice as long.
    """

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self._values: dict[str, Any] = {}

    def of_class(self, which: str, cls: type, names: Iterable[str]) -> Self:
        """Compare what a class has under these names with what `cls` has there now.

        :param which: the class, as an expression: of the test's argument `it`, or the name of `cls` itself.
        """
        self._values[cls.__name__] = cls
        owner = f"(owner := {which})"
        for name in names:
            value = f"{cls.__name__}_{name}"
            self._values[value] = getattr(cls, name)
            self._conditions.append(f"{owner}.{name} is {value}")
            owner = "owner"
        return self

    def of_object(self, cls: type, names: Iterable[str]) -> Self:
        """Compare what `it` has under these names, of its class and of its own, with what `cls` has there now."""
        names = tuple(names)
        self.of_class("it.__class__", cls, names)
        none_of_its_own = " and ".join(f"{name!r} not in own" for name in names)
        self._conditions.append(f"(not (own := it.__dict__) or {none_of_its_own})")
        return self

    def test(self) -> Callable[[Any], bool]:
        """Return the test: a function of one argument, the class or object."""
        return eval(f"lambda it: {' and '.join(self._conditions)}", self._values)  # type: ignore[no-any-return]


def unchanged_class(cls: type, names: Iterable[str]) -> Callable[[type], bool]:
    """Return a test of classes: whether one has, under these names, what `cls` has there now."""
    return Unchanged().of_class("it", cls, names).test()


def unchanged_object(cls: type, names: Iterable[str]) -> Callable[[Any], bool]:
    """Return a test of objects: whether one has, under these names, what `cls` has there now."""
    return Unchanged().of_object(cls, names).test()
