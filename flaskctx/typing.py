"""Type aliases: what views return and what the kinds of registered functions look like.

Each kind of function may be `def` or `async def`. The aliases can be evaluated at run time
(`typing.get_type_hints` works on functions annotated with them).
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, TypeAlias, TypeVar

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

_Returned = TypeVar("_Returned")

# what `function(...)` gives: the value itself (`def`), or something to await (`async def`)
_DefOrAsync: TypeAlias = _Returned | Awaitable[_Returned]

# PEP 3333. `start_response` is left open (`...`), so that functions annotated with wsgiref's, werkzeug's or
# typeshed's types all fit.
WSGIEnvironment: TypeAlias = dict[str, Any]
WSGICallable: TypeAlias = Callable[[WSGIEnvironment, Any], Iterable[bytes]]

# --- what a view returns -------------------------------------------------------------------------------

#: A body, or a finished response. A `Mapping` stands for dict, so that a TypedDict fits too.
ResponseValue: TypeAlias = (
    Response
    | str
    | bytes
    | bytearray
    | list[Any]
    | Mapping[str, Any]
    | Iterator[str | bytes]
    | AsyncIterable[str | bytes]
)

#: `404`, `HTTPStatus.NOT_FOUND`, or a whole line such as `"404 Not Here"`.
StatusValue: TypeAlias = int | str

#: One header's value, or several for a header that is sent more than once.
HeaderValue: TypeAlias = str | list[str] | tuple[str, ...]

HeadersValue: TypeAlias = Headers | Mapping[str, str] | Mapping[str, HeaderValue] | Sequence[tuple[str, HeaderValue]]

#: All that a view may return: a value, alone or in a tuple with status and headers, or a WSGI callable
#: (an `HTTPException` is one).
ResponseReturnValue: TypeAlias = (
    ResponseValue
    | tuple[ResponseValue, HeadersValue]
    | tuple[ResponseValue, StatusValue]
    | tuple[ResponseValue, StatusValue, HeadersValue]
    | WSGICallable
)

#: A response class of ours, of werkzeug, or a user's: for functions that hand back what they were given.
ResponseClass = TypeVar("ResponseClass", bound=Response)

# --- functions that users register ----------------------------------------------------------------------

#: The key of a registry: a blueprint's name, or None for the application itself.
AppOrBlueprintKey: TypeAlias = str | None

RouteCallable: TypeAlias = Callable[..., _DefOrAsync[ResponseReturnValue]]
WebsocketCallable: TypeAlias = Callable[..., _DefOrAsync[ResponseReturnValue | None]]

#: What surrounds the serving of an application (`lifespan=`).
Manager: TypeAlias = AbstractContextManager[Any] | AbstractAsyncContextManager[Any]

#: Called without arguments; a value other than None is the response, and the view isn't called.
BeforeRequestCallable: TypeAlias = Callable[[], _DefOrAsync[ResponseReturnValue | None]]
BeforeFirstRequestCallable: TypeAlias = Callable[[], _DefOrAsync[None]]

#: Given the response, returns it or another one.
AfterRequestCallable: TypeAlias = Callable[[ResponseClass], _DefOrAsync[ResponseClass]]

#: Given the exception that ended the request or context, or None.
TeardownCallable: TypeAlias = Callable[[BaseException | None], _DefOrAsync[None]]

#: Given the exception it was registered for. The parameter is Any: a handler names its own class there.
ErrorHandlerCallable: TypeAlias = Callable[[Any], _DefOrAsync[ResponseReturnValue]]

#: Given the endpoint and the dictionary of URL values, which it changes in place.
URLDefaultCallable: TypeAlias = Callable[[str, dict[str, Any]], _DefOrAsync[None]]
#: The same for the values of an incoming URL; both are None when no rule matched.
URLValuePreprocessorCallable: TypeAlias = Callable[[str | None, dict[str, Any] | None], _DefOrAsync[None]]

TemplateContextProcessorCallable: TypeAlias = Callable[[], _DefOrAsync[dict[str, Any]]]
ShellContextProcessorCallable: TypeAlias = Callable[[], dict[str, Any]]

#: Jinja calls these itself, in the middle of a rendering: a filter, a global and a test are plain `def`.
TemplateFilterCallable: TypeAlias = Callable[..., Any]
TemplateGlobalCallable: TypeAlias = Callable[..., Any]
TemplateTestCallable: TypeAlias = Callable[..., bool]
