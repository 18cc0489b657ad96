"""The command `routes`: a table of the application's URL rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..bridge.kinds import is_async
from ..command_group import with_appcontext
from ..globals import current_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.routing import Rule

    from ..app import Flask

ADDED_METHODS = frozenset({"HEAD", "OPTIONS"})
"""Methods that the framework answers, shown only when asked for."""


@click.command("routes", short_help="Show the routes of the application.")
@click.option(
    "--sort",
    "-s",
    type=click.Choice(["endpoint", "methods", "domain", "rule", "kind", "match"]),
    default="endpoint",
    show_default=True,
    help="The column to sort by; 'match' leaves the order of the URL map.",
)
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS too.")
@with_appcontext
def routes_command(sort: str, all_methods: bool) -> None:
    """Show the URL rules with their endpoints, HTTP methods and the kind of the view, def or async."""
    app = current_app._get_current_object()
    rules = list(app.url_map.iter_rules())
    if not rules:
        click.echo("The application has no routes.")
        return
    rows = [_row(app, rule, all_methods) for rule in rules]
    if sort != "match":
        rows.sort(key=lambda row: row[sort])
    columns = ["endpoint", "methods", "kind", "domain", "rule"]
    if not any(row["domain"] for row in rows):
        columns.remove("domain")
    titles = [_domain_title(app) if column == "domain" else column.title() for column in columns]
    for line in _table([titles, *([row[column] for column in columns] for row in rows)]):
        click.echo(line)


def _row(app: Flask, rule: Rule, all_methods: bool) -> dict[str, str]:
    methods = rule.methods or set()
    return {
        "endpoint": rule.endpoint,
        "methods": ", ".join(sorted(methods if all_methods else methods - ADDED_METHODS)),
        "kind": _kind(app, rule),
        "domain": (rule.host if app.url_map.host_matching else rule.subdomain) or "",
        "rule": rule.rule,
    }


def _kind(app: Flask, rule: Rule) -> str:
    """Return what serves the rule: `def` or `async`; `-` where there is no view."""
    view = app.view_functions.get(rule.endpoint)
    if view is None:
        return "-"
    return "async" if is_async(view) else "def"


def _domain_title(app: Flask) -> str:
    return "Host" if app.url_map.host_matching else "Subdomain"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table whose first row is the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *body = rows
    underline = ["-" * width for width in widths]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, underline, *body)
    ]
