"""flaskctx.signals: the names are Flask's, the signals are not."""

import blinker
import flask.signals
import pytest

from flaskctx import signals

NAMES = [
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "before_render_template",
    "got_request_exception",
    "message_flashed",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "template_rendered",
]


@pytest.mark.parametrize("name", NAMES)
def test_each_of_flasks_signals_exists_under_its_name(name):
    assert getattr(signals, name).name == getattr(flask.signals, name).name


@pytest.mark.parametrize("name", NAMES)
def test_a_receiver_of_flasks_signal_is_not_called_for_ours(name):
    called = []
    with getattr(flask.signals, name).connected_to(lambda sender, **kwargs: called.append(sender)):
        getattr(signals, name).send("app")
    assert called == []


def test_signals_are_always_available():
    assert signals.signals_available is True


def test_namespace_makes_signals_of_an_extensions_own():
    assert signals.Namespace is blinker.Namespace
