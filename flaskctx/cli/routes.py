"""The command `routes`: a table of the application's URL rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..command_group import with_appcontext
from ..globals import current_app
from ..lifecycle.places import kind_of, summary_of
from .endpoints import methods_of, plan_for
from .table import table

if TYPE_CHECKING:
    from werkzeug.routing import Rule

    from ..app import Flask

ADDED_METHODS = frozenset({"HEAD", "OPTIONS"})
"""Methods that the framework answers, shown only when asked for."""

COLUMNS = ("endpoint", "methods", "kind", "asgi", "domain", "rule")


@click.command("routes", short_help="Show the routes of the application.")
@click.option(
    "--sort",
    "-s",
    type=click.Choice([*COLUMNS, "match"]),
    default="endpoint",
    show_default=True,
    help="The column to sort by; 'match' leaves the order of the URL map.",
)
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS too.")
@with_appcontext
def routes_command(sort: str, all_methods: bool) -> None:
    """Show the URL rules with their endpoints, HTTP methods, and the kind of the view, def or async def.

    The column ASGI tells where a request's functions run on an ASGI server: on the server's event loop, in the
    request's worker thread, or both. It counts how many times a request goes to its thread (hops); functions of one
    kind that follow each other share a hop. 'flaskctx lifecycle ENDPOINT' shows them one by one.
    """
    app = current_app._get_current_object()
    rows = [_row(app, rule, all_methods) for rule in app.url_map.iter_rules()]
    if not rows:
        click.echo("The application has no routes.")
        return
    if sort != "match":
        rows.sort(key=lambda row: row[COLUMNS.index(sort)])
    domain = "Host" if app.url_map.host_matching else "Subdomain"
    click.echo(table(["Endpoint", "Methods", "Kind", "ASGI", domain, "Rule"], rows))


def _row(app: Flask, rule: Rule, all_methods: bool) -> list[str]:
    view = app.view_functions.get(rule.endpoint)
    return [
        rule.endpoint,
        ", ".join(method for method in methods_of(rule) if all_methods or method not in ADDED_METHODS),
        kind_of(view) or "-",
        summary_of(plan_for(app, rule)) if view is not None else "-",
        (rule.host if app.url_map.host_matching else rule.subdomain) or "",
        rule.rule,
    ]
