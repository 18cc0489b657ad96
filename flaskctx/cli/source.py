"""What a function is called, and where it is defined."""

from __future__ import annotations

import inspect
import os
import sys
from functools import partial
from typing import Any


def name_of(function: Any) -> str:
    """Return a function's own name; a class's where the function is made of one."""
    return str(getattr(_innermost(function), "__qualname__", None) or repr(function))


def place_of(function: Any) -> str:
    """Return `file:line`, the file relative to the working directory or its place on `sys.path`; `` where unknown."""
    function = _innermost(function)
    try:
        path = inspect.getsourcefile(function)
        line = inspect.getsourcelines(function)[1]
    except (TypeError, OSError):
        return ""
    return f"{_short(path or '')}:{line}"


def _innermost(function: Any) -> Any:
    """Return what the user wrote: without decorators, bound arguments, and the function made of a view class."""
    while isinstance(function, partial):
        function = function.func
    function = getattr(function, "view_class", None) or inspect.unwrap(function)
    return function if inspect.isroutine(function) or inspect.isclass(function) else type(function)


def _short(path: str) -> str:
    for folder in (os.getcwd(), *sorted(filter(None, sys.path), key=len, reverse=True)):
        if path.startswith(os.path.join(folder, "")):
            return os.path.relpath(path, folder)
    return path
