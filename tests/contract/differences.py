"""Reads `differences.md`: where flaskctx deliberately differs from Flask, and why."""

from __future__ import annotations

import pathlib
import re

from werkzeug.exceptions import InternalServerError

from .transcripts import REASON, adapted, body_line

PAGE = pathlib.Path(__file__).with_name("differences.md")

WHERE = {
    "Through WSGI:": lambda world: world.client == "wsgi",
    "Through ASGI:": lambda world: world.client != "wsgi",
    "Through ASGI, and for `async def` views:": lambda world: world.client != "wsgi" or world.is_async,
}

PLAIN_500 = [
    "+ < 500",
    f"+ {REASON}INTERNAL SERVER ERROR",
    "+   Content-Length: 265",
    "+   Content-Type: text/html; charset=utf-8",
    f"+ {body_line(InternalServerError().get_response().get_data())}",
]
"""What `+ < 500, plain` on the page stands for."""


class Row:
    """What is different in these scenarios, in the worlds for which `where` is true."""

    def __init__(self, scenarios, where=lambda world: True):
        self.scenarios = scenarios
        self.where = where
        self.lines = []


def rows_of(page):
    """Return the rows of the page: a list of names, then one indented block, or one for each kind of world."""
    rows, names, complete = [], [], True
    for line in page.splitlines():
        if name := re.fullmatch(r"- `(.+)`", line):
            if complete:
                names, complete = [], False
            names.append(name[1])
        elif line.strip() in WHERE:
            rows.append(Row(names, WHERE[line.strip()]))
            complete = True
        elif difference := re.fullmatch(r" {6}([+-] .+)", line):
            if not complete:
                rows.append(Row(names))
                complete = True
            rows[-1].lines += PLAIN_500 if difference[1] == "+ < 500, plain" else [difference[1]]
    return rows


DIFFERENCES = rows_of(PAGE.read_text())


def expected_differences(name, world, beside=None):
    """Return the lines that differ in a scenario in a world: from Flask's, or from flaskctx's in the world `beside`."""
    rows = [row for row in DIFFERENCES if name in row.scenarios and row.where(world)]
    lines = [line for row in rows if beside is None or not row.where(beside) for line in row.lines]
    return adapted(lines, world)
