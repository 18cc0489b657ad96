"""MsgspecJSONProvider: `app.json` on msgspec (https://jcristharif.com/msgspec). The extra `msgspec` installs it."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from .compiled import CompiledJSONProvider

try:
    import msgspec
except ImportError as error:
    raise ImportError(
        "flaskctx.json.msgspec needs msgspec. Install it with: pip install 'flaskctx[msgspec]'"
    ) from error

# What is in every date that msgspec has written, and in little else.
_MAY_BE_DATE = re.compile(rb"-\d\d-\d\d").search


class MsgspecJSONProvider(CompiledJSONProvider):
    """JSON by msgspec: `app.json = MsgspecJSONProvider(app)`, or as the `json_provider_class` of a subclass of `Flask`.

    `msgspec.Struct` objects can be anywhere in the data, and be returned by views.

    Beside what `CompiledJSONProvider` says: what msgspec knows of itself is written its way, without asking `default`:
    structs, dataclasses, attrs classes, members of an `Enum` (as their values), UUIDs, decimals, sets, bytes (as
    base64), times of day and time spans (as ISO 8601). Dates are HTTP dates, as the default provider writes them; data
    with a date in it is written at the standard library's speed. A dict of a subclass that is inside of other data is
    written as its C structure has it: a `MultiDict` with lists, a session not at all. Pass `to_dict()` or `dict(...)`.
    """

    data_types = (*CompiledJSONProvider.data_types, msgspec.Struct)

    def _encode(self, obj: Any, indented: bool) -> bytes:
        if isinstance(obj, dict) and type(obj) is not dict:
            obj = dict(obj.items())
        encoded = msgspec.json.encode(obj, enc_hook=self._convert, order="sorted" if self.sort_keys else None)
        if _MAY_BE_DATE(encoded) is not None:
            raise TypeError("This may hold a date, which msgspec has written as ISO 8601.")
        return msgspec.json.format(encoded, indent=2) if indented else encoded

    def _decode(self, s: str | bytes) -> Any:
        return msgspec.json.decode(s)

    def _native(self, o: Any, error: TypeError) -> Any:
        return msgspec.to_builtins(o, builtin_types=(datetime, date), enc_hook=self._convert)
