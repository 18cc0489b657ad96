"""Text in columns: the tables that commands print."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the head, an underline and the rows as text. A column that is empty in all rows is left out."""
    columns: list[Sequence[str]] = []
    for title, *cells in zip(head, *rows, strict=True):
        if any(cells):
            width = max(map(len, (title, *cells)))
            columns.append([cell.ljust(width) for cell in (title, "-" * width, *cells)])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))
