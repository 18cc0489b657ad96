"""Moves: what the lifecycle yields to be resumed elsewhere."""

from __future__ import annotations

from collections.abc import Generator


class Move:
    """A wish to go on in another place; await it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __await__(self) -> Generator[Move, None, None]:
        yield self

    def __repr__(self) -> str:
        return self.name


TO_WORKER = Move("TO_WORKER")
TO_LOOP = Move("TO_LOOP")
