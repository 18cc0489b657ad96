"""The locals against ``werkzeug.local``: nanoseconds a use, and how many times faster ours are.

    python benchmarks/locals.py [ROUNDS]

Both libraries take turns on the same statement within each round, so that whatever else slows the
machine down slows both. A round's figure is the best of a few short runs; the table shows the median of
all rounds. Each round starts in an empty context with new variables, because what it costs to set one
depends on where its hash puts it. Only the ratios carry over to another machine.
"""

from __future__ import annotations

import statistics
import sys
import timeit
from contextvars import Context
from types import SimpleNamespace
from typing import Any

import werkzeug.local

import flaskctx.local

LOOPS = 10_000
REPEATS = 3

CASES = {
    "read an attribute, `request = LocalProxy(stack, 'request')`": "request.method",
    "read an attribute, `LocalProxy(stack)`": "top.number",
    "read an attribute, `LocalProxy(function)`": "by_function.method",
    "read an attribute, `local('request')`": "by_local.method",
    "set an attribute of a proxy": "request.method = 'GET'",
    "item of a proxy": "session['user']",
    "`in` a proxy": "'user' in session",
    "operator: proxy + 1": "number + 1",
    "operator: proxy == 5": "number == 5",
    "bool of a proxy": "not session",
    "isinstance of a proxy": "isinstance(session, dict)",
    "`_get_current_object()`": "request._get_current_object()",
    "Local get": "local.request",
    "Local set": "local.value = 1",
    "LocalStack push + pop": "empty.push(1); empty.pop()",
    "LocalStack push + pop on one value": "filled.push(1); filled.pop()",
    "LocalStack top": "filled.top",
    "make a proxy": "make(function)",
}

OURS_ONLY = {
    "LocalStack push + pop": "empty.push_node(1); empty.pop()",
    "LocalStack push + pop on one value": "filled.push_node(1); filled.pop()",
}
"""How flaskctx itself pushes: without the list that push has to return."""

RUNS = {title: (statement, statement) for title, statement in CASES.items()} | {
    title.replace("push", "push_node"): (statement, CASES[title]) for title, statement in OURS_ONLY.items()
}


class Request:
    """An object whose attribute costs next to nothing."""

    __slots__ = ("method",)

    method: str


def scope(library: Any) -> dict[str, Any]:
    """Return the names that the statements use, made with *library*."""
    request = Request()
    request.method = "GET"
    context = SimpleNamespace(request=request, session={"user": 1}, number=5)
    stack, local = library.LocalStack(), library.Local()
    empty, filled = library.LocalStack(), library.LocalStack()
    stack.push(context)
    filled.push(context)
    local.request = request
    return {
        "request": library.LocalProxy(stack, "request"),
        "session": library.LocalProxy(stack, "session"),
        "number": library.LocalProxy(stack, "number"),
        "top": stack(),
        "by_function": library.LocalProxy(lambda: request),
        "by_local": local("request"),
        "local": local,
        "empty": empty,
        "filled": filled,
        "make": library.LocalProxy,
        "function": lambda: request,
    }


def nanoseconds(statement: str, names: dict[str, Any]) -> float:
    """Return the best time of a few runs."""
    loops = LOOPS // 20 if statement.startswith("make") else LOOPS
    return min(timeit.repeat(statement, globals=names, number=loops, repeat=REPEATS)) / loops * 1e9


def one_round(times: dict[str, tuple[list[float], list[float]]]) -> None:
    """Add a figure of each library to each case."""
    ours, theirs = scope(flaskctx.local), scope(werkzeug.local)
    for title, (our_statement, statement) in RUNS.items():
        times[title][0].append(nanoseconds(our_statement, ours))
        times[title][1].append(nanoseconds(statement, theirs))


def main(rounds: int) -> None:
    """Measure all cases and print them as a Markdown table."""
    times: dict[str, tuple[list[float], list[float]]] = {title: ([], []) for title in RUNS}
    for _ in range(rounds):
        Context().run(one_round, times)
    print(f"| ns, median of {rounds} rounds | flaskctx | werkzeug | times faster |")
    print("|---|---:|---:|---:|")
    for title, samples in times.items():
        ours_median, theirs_median = map(statistics.median, samples)
        print(f"| {title} | {ours_median:.0f} | {theirs_median:.0f} | {theirs_median / ours_median:.2f} |")
    bare = Request()
    bare.method = "GET"
    print(f"\nThe same attribute without a proxy: {nanoseconds('request.method', {'request': bare}):.0f} ns.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25)
