"""The command `lifecycle`: what a request of an endpoint calls, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..command_group import AppLoader, with_appcontext
from ..globals import current_app
from ..lifecycle.places import kind_of, places_of, summary_of
from ..lifecycle.plan import plan_of_errors
from .endpoints import context_of, methods_of, plan_for, rules_of
from .source import name_of, place_of
from .table import table

if TYPE_CHECKING:
    from ..lifecycle.places import Place
    from ..lifecycle.plan import Planned

HEAD = ("Step", "Function", "Kind", "WSGI", "ASGI", "Only", "Defined at")


def _complete_endpoint(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    app = AppLoader.of(ctx).load_app()
    return sorted({rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith(incomplete)})


@click.command("lifecycle", short_help="Show what a request of an endpoint calls, in order.")
@click.argument("endpoint", shell_complete=_complete_endpoint)
@with_appcontext
def lifecycle_command(endpoint: str) -> None:
    """Show what a request of ENDPOINT calls, in order, and where each function runs.

    Under WSGI that is the thread that serves the request, or the background loop. Under ASGI it is the server's loop
    or the request's worker thread; an arrow marks where the request goes from one to the other. What is indented is
    called if the override above it calls super().
    """
    app = current_app._get_current_object()
    rules = rules_of(app, endpoint)
    for rule in rules:
        click.echo(f"{endpoint}: {', '.join(methods_of(rule))} {rule.rule}")
    # where they differ, the one whose requests call most
    plan = max((plan_for(app, rule) for rule in rules), key=len)
    places = list(places_of(plan))
    if all(rule.websocket for rule in rules):
        # there is no such thing under WSGI
        places = [place._replace(wsgi="") for place in places]
    click.echo(f"Under ASGI: {summary_of(plan)}\n")
    click.echo(_table(plan, places))
    errors = plan_of_errors(context_of(app, rules[0]))
    if errors:
        click.echo("\nIf something fails:\n")
        click.echo(_table(errors, [place._replace(moves=False) for place in places_of(errors)]))


def _table(plan: list[Planned], places: list[Place]) -> str:
    return table(HEAD, [_row(planned, place) for planned, place in zip(plan, places, strict=True)])


def _row(planned: Planned, place: Place) -> list[str]:
    function = planned.function
    return [
        "  " * planned.depth + planned.step + (" (override)" if planned.overrides else ""),
        "" if function is None else name_of(function),
        kind_of(function),
        place.wsgi,
        ("-> " if place.moves else "") + place.asgi + (", thread waits" if place.waits else ""),
        planned.when,
        "" if function is None else place_of(function),
    ]
