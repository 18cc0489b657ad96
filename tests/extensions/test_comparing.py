"""The verdict of `nox -s extensions`: what counts as a regression, and which runs prove nothing."""

from __future__ import annotations

import json

import pytest

from .comparing import Comparison, Run, complaints_about_fault
from .suites import read_suites, with_common

ON_FLASK = ("flask", "flask")
ON_FLASKCTX = ("flaskctx itself", "flaskctx itself")


def compare(here, *, there="passed", minimum=1, differing=None):
    """Compare two runs of one test."""
    runs = [
        Run({} if outcome is None else {"test": outcome}, 1, witnesses)
        for outcome, witnesses in ((there, ON_FLASK), (here, ON_FLASKCTX))
    ]
    return Comparison(*runs, minimum, differing or {})


def test_a_test_that_passes_on_both_is_no_regression():
    assert [*compare("passed").complaints()] == []


@pytest.mark.parametrize("outcome", ["failed", "error", "skipped", "xfailed", "xpassed", None])
def test_anything_else_than_passing_is_a_regression(outcome):
    comparison = compare(outcome)
    assert comparison.regressions == {"test": outcome or "not run"}
    assert len([*comparison.complaints()]) == 1


@pytest.mark.parametrize("outcome", ["failed", "error", "skipped", "xfailed", "xpassed", None])
def test_what_does_not_pass_on_flask_is_not_compared(outcome):
    comparison = compare("failed", there=outcome, minimum=0)
    assert comparison.regressions == {}
    assert [*comparison.complaints()] == []


def test_the_number_compared_has_a_minimum():
    [complaint] = compare("passed", minimum=2).complaints()
    assert "2 are the minimum" in complaint


def test_a_known_difference_is_no_regression():
    comparison = compare("failed", differing={"test": "wording"})
    assert (comparison.regressions, [*comparison.complaints()]) == ({}, [])


def test_a_known_difference_that_is_gone_has_to_be_struck_off():
    [complaint] = compare("passed", differing={"test": "wording"}).complaints()
    assert "doesn't differ" in complaint


@pytest.mark.parametrize("exit_status", [None, 2, 3, 4, 5])
def test_a_run_that_broke_off_proves_nothing(exit_status):
    there, here = Run({"test": "passed"}, 0, ON_FLASK), Run({"test": "passed"}, exit_status, ON_FLASKCTX)
    [complaint] = Comparison(there, here, 1).complaints()
    assert "did not come to its end" in complaint


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (("flaskctx itself", "flaskctx itself"), ON_FLASKCTX),
        (ON_FLASK, ("flask", "flaskctx itself")),
        (ON_FLASK, ("flaskctx itself", "flask and flaskctx itself")),
        (ON_FLASK, ("flaskctx itself",)),
        (ON_FLASK, ()),
    ],
)
def test_every_process_has_to_get_what_the_run_is_about(there, here):
    comparison = Comparison(Run({"test": "passed"}, 0, there), Run({"test": "passed"}, 0, here), 1)
    assert [*comparison.complaints()]


def test_a_fault_that_a_test_notices_is_what_is_wanted():
    sound, faulty = (Comparison(TWO_PASS, Run({"a": "passed", "b": b}, 1), 1) for b in ("passed", "failed"))
    assert [*complaints_about_fault("a fault", sound, faulty)] == []


@pytest.mark.parametrize(
    "here",
    [
        pytest.param(Run({"a": "passed", "b": "passed"}, 1), id="noticed by no test"),
        pytest.param(Run({"a": "passed"}, 2), id="broken off"),
        pytest.param(Run({"a": "error", "b": "error"}, 1), id="too much is broken"),
    ],
)
def test_a_fault_that_is_not_noticed_makes_the_run_red(here):
    sound = Comparison(TWO_PASS, Run({"a": "passed", "b": "passed"}), 1)
    assert [*complaints_about_fault("a fault", sound, Comparison(TWO_PASS, here, 1))]


TWO_PASS = Run({"a": "passed", "b": "passed"})


def test_a_run_is_read_from_what_recorder_and_witnesses_wrote(tmp_path):
    outcomes, witnesses = tmp_path / "outcomes.jsonl", tmp_path / "witnesses.txt"
    lines = [["a", "passed"], ["b", "failed"], ["pytest's exit status", 1]]
    outcomes.write_text("".join(json.dumps(line) + "\n" for line in lines))
    witnesses.write_text("17 flask\n18 flaskctx itself\n")
    assert Run.read(outcomes, witnesses) == Run({"a": "passed", "b": "failed"}, 1, ("flask", "flaskctx itself"))


def test_a_run_that_wrote_nothing_has_not_ended(tmp_path):
    assert Run.read(tmp_path / "outcomes", tmp_path / "witnesses") == Run({}, None, ())


def test_a_suite_may_ask_for_another_version_of_what_all_get():
    entry = {"requires": ["Pytest==7.4.4", "mock"]}
    assert with_common(entry, ["pytest==8.4.2", "flask[async]"])["requires"] == [
        "Pytest==7.4.4",
        "mock",
        "flask[async]",
    ]


def test_the_table_can_be_read_and_asks_of_each_suite_that_something_is_compared():
    suites = read_suites()
    assert {"Flask-Login", "Flask-SQLAlchemy", "Flask-WTF", "Flask-HTTPAuth", "Flask-RESTful", "sentry-sdk"} <= {
        *suites
    }
    assert all(suite.minimum > 0 and "==" in suite.sdist for suite in suites.values())
    assert any(suite.fault for suite in suites.values())
