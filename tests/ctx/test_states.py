"""The table of the states of a context: complete, and obeyed."""

from __future__ import annotations

import pytest

from flaskctx.ctx import State
from flaskctx.ctx.states import NEXT, after

STATES = sorted(value for name, value in vars(State).items() if name.isupper())
EVENTS = sorted({event for _, event in NEXT})


def test_every_state_can_be_reached_from_new():
    reached = {State.NEW}
    while grown := {NEXT[state, event] for state, event in NEXT if state in reached} - reached:
        reached |= grown
    assert reached == set(STATES)


def test_every_state_can_come_to_an_end():
    ending = {State.CLOSED}
    while grown := {state for (state, event), target in NEXT.items() if target in ending} - ending:
        ending |= grown
    assert ending == set(STATES)


def test_only_close_leads_to_closed_and_always_does():
    assert {event for (_, event), target in NEXT.items() if target is State.CLOSED} == {"close"}
    assert {target for (_, event), target in NEXT.items() if event == "close"} == {State.CLOSED}


def test_nothing_leads_back_to_new():
    assert State.NEW not in NEXT.values()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_what_is_not_in_the_table_is_an_error_that_names_state_and_event(state, event):
    if (state, event) in NEXT:
        assert after(state, event, "context") is NEXT[state, event]
    else:
        with pytest.raises(RuntimeError, match=f"is {state}: it can't {event}"):
            after(state, event, "context")


def test_a_context_goes_through_them(app):
    context = app.test_request_context()
    seen = [context._state]
    with context:
        seen.append(context._state)
    seen.append(context._state)
    assert seen == [State.NEW, State.ACTIVE, State.CLOSED]
