"""Scenarios: applications that are built and driven alike with Flask and with flaskctx.

    @scenario("GET /", "POST /")
    def a_view(framework, app, log):
        app.get("/")(log.on("view", lambda: "hello"))

`framework` is the module `flask` or the module `flaskctx`, `app` an application made by it, `log` a `Log`. The
requests are sent to the application one after the other, by one test client. A function that returns an application
has that one driven instead. A scenario without requests is a script: it drives the application itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SCENARIOS: dict[str, Scenario] = {}


@dataclass(frozen=True)
class Scenario:
    """A scenario. `requests` are pairs of "METHOD /path" and the client's further arguments."""

    name: str
    build: Any
    requests: tuple[tuple[str, dict[str, Any]], ...]


def scenario(*requests, name=None):
    """Register a function as a scenario under its name."""

    def register(build):
        full_name = f"{build.__module__.rpartition('.')[2]}.{name or build.__name__}"
        assert full_name not in SCENARIOS, f"two scenarios are called {full_name}"
        pairs = tuple((request, {}) if isinstance(request, str) else request for request in requests)
        SCENARIOS[full_name] = Scenario(full_name, build, pairs)
        return build

    return register


def each(table, *requests):
    """Register a function as one scenario for each row of a table; the row's value is its last argument."""

    def register(build):
        for key, value in table.items():

            def build_row(framework, app, log, value=value):
                return build(framework, app, log, value)

            build_row.__module__ = build.__module__
            scenario(*requests, name=f"{build.__name__}[{key}]")(build_row)
        return build

    return register
