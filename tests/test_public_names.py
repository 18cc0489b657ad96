"""What `help()` says about the names that `from flaskctx import ...` gives."""

from __future__ import annotations

import inspect

import pytest
from blinker import NamedSignal

import flaskctx

FOREIGN = {"Markup", "escape"}  # markupsafe's
DATA = {"__version__", "signals_available"}

PUBLIC = {name: getattr(flaskctx, name) for name in flaskctx.__all__ if name not in FOREIGN | DATA}
FUNCTIONS = sorted(name for name, value in PUBLIC.items() if inspect.isfunction(value))
SIGNALS = sorted(name for name, value in PUBLIC.items() if isinstance(value, NamedSignal))
CLASSES = sorted(name for name, value in PUBLIC.items() if inspect.isclass(value))


def text_of(value):
    return inspect.getdoc(value) or ""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_each_parameter_is(name):
    text = text_of(PUBLIC[name])
    parameters = inspect.signature(PUBLIC[name]).parameters
    missing = [
        each
        for each in parameters
        if f":param {each}:" not in text and f"`{each}" not in text and f"*{each}" not in text
    ]
    assert missing == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_it_raises_or_that_it_may_be_called_anywhere(name):
    text = text_of(PUBLIC[name])
    assert ":raises " in text or "anywhere" in text or name == "nonblocking"


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_says_when_it_is_sent(name):
    assert text_of(PUBLIC[name]) != text_of(type(PUBLIC[name]))


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_and_its_public_methods_say_what_they_are_for(name):
    undocumented = [
        member
        for member, value in vars(PUBLIC[name]).items()
        if not member.startswith("_")
        and callable(value)
        and not inspect.isclass(value)
        and not text_of(getattr(PUBLIC[name], member))
    ]
    assert text_of(PUBLIC[name])
    assert undocumented == []


def test_all_of_them_are_looked_at():
    assert len(FUNCTIONS) > 25
    assert len(SIGNALS) == 11
    assert len(CLASSES) == 10
