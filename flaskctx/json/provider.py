"""What `app.json` is: the object through which an application reads and writes JSON."""

from __future__ import annotations

import dataclasses
import json
import weakref
from datetime import date
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, AnyStr, cast
from uuid import UUID

from werkzeug.http import http_date

from ..unchanged import unchanged_object
from .classic import CodecAttribute, codec

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..app import Flask
    from ..wrappers import Response


class JSONProvider:
    """The interface of `app.json`. Subclass it to use another JSON library.

    Only `dumps` and `loads` must be written. Set the class as `json_provider_class` on a
    subclass of the application, or an instance as `app.json`.

    :param app: the application. It is referred to weakly, because it holds its provider.
    """

    data_types: tuple[type, ...] = (dict, list)
    """What a view may return to have it sent as JSON. Dicts and lists always are; a provider may add to them."""

    def __init__(self, app: Flask) -> None:
        self._app = cast("Flask", weakref.proxy(app))

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return *obj* as JSON text.

        :param kwargs: passed on to the library in use.
        """
        raise NotImplementedError(f"{type(self).__name__} must define dumps()")

    def dump(self, obj: Any, fp: IO[str], **kwargs: Any) -> None:
        """Write *obj* as JSON to a text file. See `dumps`."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the data that a JSON text stands for.

        :param s: text, or bytes in UTF-8, UTF-16 or UTF-32.
        :param kwargs: passed on to the library in use.
        """
        raise NotImplementedError(f"{type(self).__name__} must define loads()")

    def load(self, fp: IO[AnyStr], **kwargs: Any) -> Any:
        """Return the data in an open JSON file, text or binary. See `loads`."""
        return self.loads(fp.read(), **kwargs)

    def _prepare_response_obj(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the one object that the arguments of `response` mean."""
        if not kwargs:
            if len(args) == 1:
                return args[0]
            return args or None
        if args:
            raise TypeError(
                "A JSON response takes either values or keyword arguments, not both:"
                " put the values into a keyword argument, or all of it into one dict."
            )
        return kwargs

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a response whose body is JSON and whose type is `application/json`.

        One value is the body itself, several are a list, keyword arguments are an object, nothing
        at all is `null`.

        :raises TypeError: values and keyword arguments were mixed.
        """
        body = self.dumps(self._prepare_response_obj(args, kwargs))
        return self._app.response_class(body, mimetype="application/json")


def default(o: Any) -> Any:
    """Convert what the standard library's encoder can't.

    Dates become HTTP dates (RFC 9110), decimals and UUIDs their text, dataclass instances an object of
    their fields, and what has `__html__` (markup) its HTML.

    :raises TypeError: *o* is nothing of these.
    """
    if isinstance(o, date):
        return http_date(o)
    if isinstance(o, Decimal | UUID):
        return str(o)
    if dataclasses.is_dataclass(o) and not isinstance(o, type):
        return dataclasses.asdict(o)
    html = getattr(o, "__html__", None)
    if html is not None:
        return str(html())
    raise TypeError(
        f"Object of type {type(o).__name__} is not JSON serializable."
        " Convert it first, or set app.json.default to a function that does."
    )


def completed(options: dict[str, Any], standard: dict[str, Any]) -> dict[str, Any]:
    """Return options for `json.dumps`, completed by standard ones; an encoder class may have a `default` of its own."""
    if getattr(options.get("cls"), "default", json.JSONEncoder.default) is not json.JSONEncoder.default:
        standard = {name: value for name, value in standard.items() if name != "default"}
    return {**standard, **options}


# One laid-out way to write JSON: the options (compared at each use), and the encoder they made.
_Options = tuple[Any, ...]
_Encoder = tuple[_Options, json.JSONEncoder]

# Plain text, a compact and an indented response, and one to spare.
_ENCODERS_KEPT = 4


class DefaultJSONProvider(JSONProvider):
    """JSON by the standard library. The options are attributes, to be set on `app.json` or in a subclass."""

    default: Callable[[Any], Any] = staticmethod(default)
    """Called with what the encoder can't write; returns what it can, or raises TypeError."""

    ensure_ascii: bool = True
    """Write other than ASCII characters as escapes. Without, the text is smaller and some clients fail."""

    sort_keys: bool = True
    """Write the keys of objects in order, so that equal data is equal text. All must be of one type."""

    compact: bool | None = None
    """Write responses without spaces and line breaks. None: unless the application is in debug mode."""

    mimetype: str = "application/json"
    """The type of responses."""

    _encoders: tuple[_Encoder, ...] = ()

    def dumps(
        self,
        obj: Any,
        *,
        separators: tuple[str, str] | None = None,
        indent: int | str | None = None,
        **kwargs: Any,
    ) -> str:
        """Return *obj* as JSON text.

        :param separators: between items, and between a key and its value.
        :param indent: break lines, and indent by this many spaces or this text.
        :param kwargs: further options of `json.dumps`. These win over the provider's attributes.
        """
        if CodecAttribute.used and "cls" not in kwargs and (chosen := self._codec("json_encoder")):
            kwargs["cls"] = chosen
        if kwargs:
            own = {"default": self.default, "ensure_ascii": self.ensure_ascii, "sort_keys": self.sort_keys}
            return json.dumps(obj, separators=separators, indent=indent, **completed(kwargs, own))
        # json.dumps() builds an encoder at each call; an encoder keeps no state between calls.
        options = (self.default, self.ensure_ascii, self.sort_keys, separators, indent)
        for made_from, encoder in self._encoders:
            if made_from == options:
                return encoder.encode(obj)
        return self._new_encoder(options).encode(obj)

    def _new_encoder(self, options: _Options) -> json.JSONEncoder:
        default, ensure_ascii, sort_keys, separators, indent = options
        encoder = json.JSONEncoder(
            default=default,
            ensure_ascii=ensure_ascii,
            sort_keys=sort_keys,
            separators=separators,
            indent=indent,
        )
        self._encoders = ((options, encoder), *self._encoders[: _ENCODERS_KEPT - 1])
        return encoder

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the data that a JSON text stands for.

        :param s: text, or bytes in UTF-8, UTF-16 or UTF-32.
        :param kwargs: options of `json.loads`.
        :raises ValueError: it is no JSON, or nested too deeply to be read.
        """
        if CodecAttribute.used and "cls" not in kwargs and (chosen := self._codec("json_decoder")):
            kwargs["cls"] = chosen
        try:
            return json.loads(s, **kwargs)
        except RecursionError as error:
            raise ValueError("The JSON text is nested too deeply.") from error

    def _codec(self, name: str) -> type | None:
        """Return the class for `json.dumps` or `json.loads` that the application or a blueprint has set, if any."""
        return codec(self._app, name)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a response with the arguments as JSON, laid out as `compact` says.

        One value is the body itself, several are a list, keyword arguments are an object, nothing
        at all is `null`. The body ends with a line break.

        :raises TypeError: values and keyword arguments were mixed.
        """
        text = self._response_text(self._prepare_response_obj(args, kwargs))
        return self._app.response_class(text, mimetype=self.mimetype)

    def _response_text(self, obj: Any) -> str:
        compact = self.compact
        if compact is None:
            compact = not self._app.debug
        return (self.dumps(obj, separators=(",", ":")) if compact else self.dumps(obj, indent=2)) + "\n"


_responds_as_known = unchanged_object(DefaultJSONProvider, ("response", "_prepare_response_obj", "_response_text"))


def sends_text(provider: JSONProvider) -> bool:
    """Tell whether the responses of a provider are `_response_text` as a `mimetype`, and nothing else."""
    return isinstance(provider, DefaultJSONProvider) and _responds_as_known(provider)
