"""The files whose changes restart the development server under ASGI, and which of them have changed."""

from __future__ import annotations

import os
from contextlib import suppress
from fnmatch import fnmatch
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NOT_ENTERED = ("__pycache__", "node_modules")


class WatchedFiles:
    """The Python files below the working directory, and others, since they were last looked at.

    :param others: more files; of a folder, the Python files in it.
    :param excluded: patterns of files that aren't watched: of their path, of its end, or of the name alone.
    """

    def __init__(self, others: Iterable[str] = (), excluded: Iterable[str] = ()) -> None:
        self._roots = [os.getcwd(), *map(os.path.abspath, others)]
        self._excluded = tuple(excluded)
        self._seen = self._look()

    def changed(self) -> list[Path]:
        """Return those that were written, added or removed since the last call, or since this object was made."""
        before, self._seen = self._seen, self._look()
        paths = [path for path in before.keys() | self._seen.keys() if before.get(path) != self._seen.get(path)]
        for path in paths:
            _forget_bytecode(path)
        return [Path(path) for path in sorted(paths)]

    def _look(self) -> dict[str, tuple[int, int]]:
        seen = {}
        for path in self._paths():
            # it may be gone meanwhile
            with suppress(OSError):
                stat = os.stat(path)
                # any other time is a change: a file that is moved or copied here may be older
                seen[path] = stat.st_mtime_ns, stat.st_size
        return seen

    def _paths(self) -> Iterator[str]:
        for root in self._roots:
            for path in _python_files(root) if os.path.isdir(root) else [root]:
                if not any(fnmatch(path, pattern) or Path(path).match(pattern) for pattern in self._excluded):
                    yield path


def _python_files(root: str) -> Iterator[str]:
    """Yield the Python files in and below a folder, without those of virtual environments and hidden folders."""
    for folder, folders, names in os.walk(root):
        if "pyvenv.cfg" in names and folder != root:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _NOT_ENTERED]
        yield from (os.path.join(folder, name) for name in names if name.endswith(".py"))


def _forget_bytecode(path: str) -> None:
    """Remove what was compiled from a source file: one of the same length and second would pass for the same."""
    if path.endswith(".py"):
        with suppress(OSError, NotImplementedError):
            os.remove(cache_from_source(path))
