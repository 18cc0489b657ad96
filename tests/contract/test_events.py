"""The contract with Flask: the same scenarios give the same responses and the same event logs.

Each is run with the installed Flask, and with flaskctx through WSGI and through ASGI, with `def` functions and with
`async def` ones, with every signal received and with none. What differs on purpose is in `differences.md`.
"""

from __future__ import annotations

import importlib
import pkgutil
from difflib import SequenceMatcher

import flask.views
import pytest

import flaskctx.views

from . import scenarios
from .differences import DIFFERENCES, expected_differences
from .scenario import SCENARIOS
from .transcripts import World, adapted, transcript

for module in pkgutil.iter_modules(scenarios.__path__):
    importlib.import_module(f"{scenarios.__name__}.{module.name}")

WSGI_WATCHED = World("wsgi", is_async=False, watches=True)
WSGI = World("wsgi", is_async=True, watches=False)
ASGI_WATCHED = World("asgi-asyncio", is_async=True, watches=True)
ASGI = World("asgi-asyncio", is_async=False, watches=False)
TRIO_WATCHED = ASGI_WATCHED._replace(client="asgi-trio")
TRIO = ASGI._replace(client="asgi-trio")


def worlds_of(name):
    """Return the worlds to run a scenario in. Scripts use the sync client; most scenarios don't touch the loop."""
    if not SCENARIOS[name].requests:
        return [WSGI_WATCHED, WSGI]
    of_all_loops = name.partition(".")[0] in ("hooks", "streams", "classes_and_kinds")
    return [WSGI_WATCHED, WSGI, ASGI_WATCHED, ASGI, *([TRIO_WATCHED, TRIO] if of_all_loops else [])]


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name):
    theirs = transcript(SCENARIOS[name], flask, WSGI_WATCHED)
    found, expected = {}, {}
    for world in worlds_of(name):
        ours = adapted(transcript(SCENARIOS[name], flaskctx, world), world)
        if world.watches:
            watched, ours_watched = world, ours
            found[str(world)] = differences(adapted(theirs, world), ours)
            expected[str(world)] = expected_differences(name, world)
        else:
            # where nobody listens, all goes the same way, with functions of the other kind
            found[str(world)] = differences(adapted(ours_watched, world), ours)
            expected[str(world)] = expected_differences(name, world, beside=watched)
    assert found == expected


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name.startswith("hooks.")])
def test_in_flask_too_functions_of_both_kinds_give_one_transcript(name):
    asynchronous = transcript(SCENARIOS[name], flask, WSGI_WATCHED._replace(is_async=True))
    assert asynchronous == transcript(SCENARIOS[name], flask, WSGI_WATCHED)


def test_the_rows_of_differences_are_about_scenarios():
    assert {name for row in DIFFERENCES for name in row.scenarios} <= SCENARIOS.keys()


def differences(theirs, ours):
    """Return the lines that are in one transcript only, block by block: first theirs, then ours."""
    lines = []
    for tag, start, end, our_start, our_end in SequenceMatcher(None, theirs, ours, autojunk=False).get_opcodes():
        if tag != "equal":
            lines += [f"- {line}" for line in theirs[start:end]] + [f"+ {line}" for line in ours[our_start:our_end]]
    return lines
