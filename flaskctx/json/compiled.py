"""The base of providers on a compiled library: it writes what it can, the standard library does the rest."""

from __future__ import annotations

import re
from json.encoder import encode_basestring_ascii
from typing import Any

from .provider import DefaultJSONProvider

_COMPACT = (",", ":")
_REFUSED = (TypeError, ValueError, OverflowError, RecursionError)
_SUBCLASSED = (str, int, float, dict, list, tuple)
_TO_ESCAPE = re.compile("[^\x00-\x7e]+")


class CompiledJSONProvider(DefaultJSONProvider):
    """`DefaultJSONProvider`, several times as fast, with the same options and the same data in the JSON.

    A value that the library refuses (integers beyond 64 bits, keys other than text, very deep nesting), and options
    that it hasn't (`dumps` with an indent other than 2, separators, or options of `json.dumps`) are the standard
    library's, at its speed. A text that it refuses is read by the standard library, too, whose errors are raised then.

    What is different from the default provider:

    - `dumps` leaves out the spaces unless it is given `separators` or `indent`.
    - NaN and infinite numbers become `null`. Numbers may be spelled in another way: `1e16` for `1e+16`.
    - `default` isn't asked for types that the library knows; each provider says which.
    - The classic `json_encoder` and `json_decoder` are not used.
    """

    def dumps(
        self,
        obj: Any,
        *,
        separators: tuple[str, str] | None = None,
        indent: int | str | None = None,
        **kwargs: Any,
    ) -> str:
        """Return *obj* as JSON text. The options are those of the default provider's method."""
        if indent is None and separators is None:
            separators = _COMPACT
        if not kwargs and (indent, separators) in ((None, _COMPACT), (2, None)):
            try:
                text = self._encode(obj, indent is not None).decode()
            except _REFUSED:
                pass
            else:
                if self.ensure_ascii and not (text.isascii() and "\x7f" not in text):
                    return _TO_ESCAPE.sub(lambda found: encode_basestring_ascii(found[0])[1:-1], text)
                return text
        return super().dumps(obj, separators=separators, indent=indent, **{"default": self._standard_default, **kwargs})

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the data that a JSON text stands for.

        :param s: text, or bytes in UTF-8, UTF-16 or UTF-32.
        :param kwargs: options of `json.loads`; with any, it is what reads the text.
        """
        if not kwargs:
            try:
                return self._decode(s)
            except _REFUSED:
                pass
        return super().loads(s, **kwargs)

    def _codec(self, name: str) -> type | None:
        return None

    def _encode(self, obj: Any, indented: bool) -> bytes:
        """Return *obj* as JSON, compact or with an indent of two spaces, or raise one of `_REFUSED`."""
        raise NotImplementedError

    def _decode(self, s: str | bytes) -> Any:
        """Return the data of a JSON text in UTF-8, or raise one of `_REFUSED`."""
        raise NotImplementedError

    def _convert(self, o: Any) -> Any:
        """Return for a value that the library can't write one that it can, as the default provider sees it."""
        if isinstance(o, _SUBCLASSED):
            return _without_subclass(o)
        if self.default is None:
            raise TypeError(f"Object of type {type(o).__name__} is not JSON serializable.")
        return self.default(o)

    def _standard_default(self, o: Any) -> Any:
        """Return for a value that the standard library can't write one that it can."""
        try:
            return self._convert(o)
        except TypeError as error:
            return self._native(o, error)

    def _native(self, o: Any, error: TypeError) -> Any:
        """Return what the library would write for *o*, as a simple value; raise *error* if it wouldn't."""
        raise error


def _without_subclass(o: Any) -> Any:
    """Return the value of a subclass of a JSON type as one of that type itself: what the standard library writes."""
    if isinstance(o, str):
        return str.__str__(o)
    if isinstance(o, int):
        return int.__index__(o)
    if isinstance(o, float):
        return float.__float__(o)
    return dict(o.items()) if isinstance(o, dict) else list(o)
