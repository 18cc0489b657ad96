"""The endpoints of an application: the rules and contexts that plans are made for, and what a name stands for."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from ..asgi.wsgi_override import wsgi_override
from ..lifecycle.plan import plan_of

if TYPE_CHECKING:
    from werkzeug.routing import Rule

    from ..app import Flask
    from ..ctx import RequestContext
    from ..lifecycle.plan import Planned


def context_of(app: Flask, rule: Rule) -> RequestContext:
    """Return the context of a request that this rule has matched; it isn't pushed."""
    context = app.test_request_context()
    context.request.url_rule = rule
    return context


def plan_for(app: Flask, rule: Rule) -> list[Planned]:
    """Return what a request that this rule matches will call, in order."""
    through_wsgi_app = not rule.websocket and wsgi_override(app)
    return plan_of(context_of(app, rule), app.wsgi_app if through_wsgi_app else None)


def methods_of(rule: Rule) -> list[str]:
    """Return the methods that a rule takes, sorted; for a websocket there are none."""
    return ["WEBSOCKET"] if rule.websocket else sorted(rule.methods or ())


def rules_of(app: Flask, endpoint: str) -> list[Rule]:
    """Return the URL rules of an endpoint.

    :raises click.UsageError: there is none; the message names what is near.
    """
    rules = list(app.url_map.iter_rules())
    found = [rule for rule in rules if rule.endpoint == endpoint]
    if found:
        return found
    known = dict.fromkeys(rule.endpoint for rule in rules)
    view = endpoint.rpartition(".")[2]
    near = [
        *(rule.endpoint for rule in rules if rule.rule == endpoint or rule.endpoint.rpartition(".")[2] == view),
        *get_close_matches(endpoint, known),
    ]
    hint = f"Did you mean {' or '.join(map(repr, dict.fromkeys(near)))}?" if near else "'routes' lists the endpoints."
    raise click.UsageError(f"There is no endpoint {endpoint!r}. {hint}")
