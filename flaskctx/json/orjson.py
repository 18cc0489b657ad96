"""ORJSONProvider: `app.json` on orjson (https://github.com/ijl/orjson). The extra `orjson` installs it."""

from __future__ import annotations

from enum import Enum
from typing import Any

from .compiled import CompiledJSONProvider

try:
    import orjson
except ImportError as error:
    raise ImportError("flaskctx.json.orjson needs orjson. Install it with: pip install 'flaskctx[orjson]'") from error

# so that `default` is asked for these as it is by the standard library
_ALWAYS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS


class ORJSONProvider(CompiledJSONProvider):
    """JSON by orjson: `app.json = ORJSONProvider(app)`, or as the `json_provider_class` of a subclass of `Flask`.

    Beside what `CompiledJSONProvider` says: UUIDs and members of an `Enum` (as their values) are written without asking
    `default`, and `loads` makes floats of integers beyond 64 bits.
    """

    def _encode(self, obj: Any, indented: bool) -> bytes:
        option = _ALWAYS
        if self.sort_keys:
            option |= orjson.OPT_SORT_KEYS
        if indented:
            option |= orjson.OPT_INDENT_2
        return orjson.dumps(obj, self._convert, option)

    def _decode(self, s: str | bytes) -> Any:
        return orjson.loads(s)

    def _native(self, o: Any, error: TypeError) -> Any:
        return o.value if isinstance(o, Enum) else super()._native(o, error)
