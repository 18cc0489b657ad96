"""JSON as the current application reads and writes it.

Each function hands over to `current_app.json`. Where no application is current, all but
`jsonify` use the standard library with the conversions of
`default`.
"""

from __future__ import annotations

import json as _json
from typing import IO, TYPE_CHECKING, Any, AnyStr

from jinja2.utils import htmlsafe_json_dumps

from ..globals import current_app
from .provider import completed, default

if TYPE_CHECKING:
    from markupsafe import Markup

    from ..wrappers import Response


def dumps(obj: Any, **kwargs: Any) -> str:
    """Return *obj* as JSON text.

    :param kwargs: passed on to the application's provider.
    """
    if current_app:
        return current_app.json.dumps(obj, **kwargs)
    return _json.dumps(obj, **completed(kwargs, {"default": default}))


def dump(obj: Any, fp: IO[str], **kwargs: Any) -> None:
    """Write *obj* as JSON to a text file.

    :param kwargs: passed on to the application's provider.
    """
    if current_app:
        current_app.json.dump(obj, fp, **kwargs)
    else:
        _json.dump(obj, fp, **completed(kwargs, {"default": default}))


def loads(s: str | bytes, **kwargs: Any) -> Any:
    """Return the data that a JSON text stands for.

    :param s: text, or bytes in UTF-8, UTF-16 or UTF-32.
    :param kwargs: passed on to the application's provider.
    """
    if current_app:
        return current_app.json.loads(s, **kwargs)
    return _json.loads(s, **kwargs)


def load(fp: IO[AnyStr], **kwargs: Any) -> Any:
    """Return the data in an open JSON file, text or binary.

    :param kwargs: passed on to the application's provider.
    """
    if current_app:
        return current_app.json.load(fp, **kwargs)
    return _json.load(fp, **kwargs)


def jsonify(*args: Any, **kwargs: Any) -> Response:
    """Return a response with the arguments as JSON.

    One value is the body itself, several are a list, keyword arguments are an object, nothing at
    all is `null`.

    :param args: the values.
    :param kwargs: the object's.
    :raises TypeError: values and keyword arguments were mixed.
    :raises RuntimeError: no application is current.
    """
    return current_app.json.response(*args, **kwargs)


# Kept from the classic API


class JSONEncoder(_json.JSONEncoder):
    """Converts what `app.json` converts; subclassed for `app.json_encoder` and `blueprint.json_encoder`."""

    def default(self, o: Any) -> Any:
        """Convert a value that JSON has no form for, as `flaskctx.json.provider.default` does."""
        return default(o)


class JSONDecoder(_json.JSONDecoder):
    """The standard library's; subclassed for `app.json_decoder` and `blueprint.json_decoder`."""


def htmlsafe_dumps(obj: Any, **kwargs: Any) -> Markup:
    """Return *obj* as JSON text that can stand in a `<script>` tag. In templates, `|tojson` does it.

    :param kwargs: passed on to the application's provider.
    """
    return htmlsafe_json_dumps(obj, dumps=dumps, **kwargs)


def htmlsafe_dump(obj: Any, fp: IO[str], **kwargs: Any) -> None:
    """Write *obj* to a text file as JSON that can stand in a `<script>` tag."""
    fp.write(htmlsafe_dumps(obj, **kwargs))
