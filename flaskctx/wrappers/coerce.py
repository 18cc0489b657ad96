"""Making a response from what a view returned."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response as WerkzeugResponse

from ..globals import request
from .response import Response, makes_its_response

if TYPE_CHECKING:
    from ..app import Flask

_HEADERS = (Headers, dict, tuple, list)


def make_response(app: Flask, rv: Any) -> Response:
    """Return a response of the application's class for the value that a view, hook or handler returned.

    | value | becomes |
    |---|---|
    | a response of `app.response_class` | itself |
    | str, bytes, bytearray | the body |
    | iterator or generator; async generator or other async iterable | the body, streamed |
    | dict, list, and what else is in `app.json.data_types` | JSON, by `app.json.response` |
    | any werkzeug response, WSGI callable or HTTPException | a response, by `response_class.force_type` |
    | `(value, status)`, `(value, headers)`, `(value, status, headers)` | as above, then status and headers |

    A status is a number or a line (`"404 Gone Fishing"`). Headers replace those of the same name.
    Only a WSGI callable needs a current request, for its environ.

    :raises TypeError: the value is None or of another type; the message names the endpoint.
    """
    status = headers = None
    if isinstance(rv, tuple):
        rv, status, headers = _unpack(rv)

    response: Response
    if isinstance(rv, app.response_class):
        response = rv
    elif isinstance(rv, (str, bytes, bytearray)):
        return app.response_class(rv, status=status, headers=headers)
    elif isinstance(rv, (dict, list)):
        response = app.json.response(rv)
    elif isinstance(rv, WerkzeugResponse) or (callable(rv) and not isinstance(rv, Iterator)):
        response = _forced(app, rv)
    elif isinstance(rv, (Iterator, AsyncIterable)):
        return app.response_class(rv, status=status, headers=headers)
    elif isinstance(rv, getattr(app.json, "data_types", ())):
        response = app.json.response(rv)
    else:
        _refuse(rv)

    return _amended(response, status, headers)


def _amended(response: Response, status: Any, headers: Any) -> Response:
    if status is not None:
        if isinstance(status, (str, bytes, bytearray)):
            response.status = status  # type: ignore[assignment]
        else:
            response.status_code = status
    if headers:
        response.headers.update(headers)
    return response


def needs_calling(rv: Any) -> bool:
    """Tell whether `make_response` calls a function of the user's for this value: a WSGI callable.

    That may block, so under ASGI it has to happen in a worker.
    """
    value = rv[0] if isinstance(rv, tuple) and rv else rv
    return callable(value) and not (isinstance(value, WerkzeugResponse) or makes_its_response(value))


def _unpack(returned: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """Return (value, status, headers) of a tuple that may leave one of the latter out."""
    if len(returned) == 2:
        value, other = returned
        return (value, None, other) if isinstance(other, _HEADERS) else (value, other, None)
    if len(returned) == 3:
        return returned
    raise TypeError(
        f"{_place()} returned a tuple of {len(returned)} items: {_shown(returned)}. A tuple is (body, status,"
        " headers), (body, status) or (body, headers). To send the items as JSON, return a list."
    )


def _forced(app: Flask, rv: Any) -> Response:
    try:
        return app.response_class.force_type(rv, request.environ if request else None)
    except TypeError as error:
        raise TypeError(
            f"{_place()} returned {_shown(rv)}, which is callable and so was taken for a WSGI application,"
            f" but the call failed: {error}\nReturn a body, a dict or list for JSON, or a response. If it's a"
            " function that makes one of these, call it."
        ) from error


def _refuse(rv: Any) -> NoReturn:
    if rv is None and request and getattr(request.url_rule, "websocket", False):
        raise TypeError(
            f"{_place()} has ended before the websocket was accepted. Accept it with await websocket.accept(), or send"
            " or receive something; websocket's methods are awaited, in `def` views it is websocket.sync. To reject"
            ' the client return a response, such as ("", 403), or call abort().'
        )
    if rv is None:
        raise TypeError(
            f"{_place()} returned None, which can't be sent. Either a path through it ends without a return"
            ' statement, or it returns None itself. For an empty response return "" or ("", 204).'
        )
    if inspect.iscoroutine(rv):
        raise TypeError(
            f"{_place()} returned a coroutine that nobody awaited: {_shown(rv)}. Make the function"
            " `async def` and await the call."
        )
    raise TypeError(
        f"{_place()} returned {_shown(rv)}, which can't be made into a response. Return a str, bytes, dict,"
        " list, iterator, async iterable, response or WSGI callable, alone or as (body, status, headers)."
    )


def _place() -> str:
    return f"The view or hook of endpoint {request.endpoint!r}" if request else "The function"


def _shown(value: Any) -> str:
    text = repr(value)
    if len(text) > 100:
        text = f"{text[:100]}..."
    return f"{text} (a {type(value).__name__})"
