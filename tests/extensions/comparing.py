"""What two runs of one suite say: on Flask itself, and with flaskctx in its place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

NOT_RUN = "not run"
LAST_LINE = "pytest's exit status"


@dataclass(frozen=True)
class Run:
    """One run of a suite.

    :param outcomes: of each test, by its id: passed, failed, error, skipped, xfailed or xpassed.
    :param exit_status: pytest's; None if it didn't come to its end.
    :param witnesses: for each process that has imported `flask`, whose it was.
    """

    outcomes: dict[str, str]
    exit_status: int | None = 0
    witnesses: tuple[str, ...] = ()

    @classmethod
    def read(cls, outcomes: Path, witnesses: Path) -> Run:
        """Read what the recorder and the witnesses have written; what they didn't get to write is missing."""
        entries = dict(json.loads(line) for line in lines_of(outcomes))
        exit_status = entries.pop(LAST_LINE, None)
        return cls(entries, exit_status, tuple(line.partition(" ")[2] for line in lines_of(witnesses)))

    @property
    def passed(self) -> set[str]:
        """The ids of the tests that have passed."""
        return {test for test, outcome in self.outcomes.items() if outcome == "passed"}


def lines_of(file: Path) -> list[str]:
    """Return the lines of a file, none if it isn't there."""
    return file.read_text().splitlines() if file.exists() else []


@dataclass(frozen=True)
class Comparison:
    """The two runs side by side, test by test: those are compared that pass on Flask.

    :param minimum: how many tests have to be compared.
    :param differing: the ids of the tests that are known not to pass on flaskctx, with the reasons.
    """

    there: Run
    here: Run
    minimum: int
    differing: dict[str, str] = field(default_factory=dict)

    @property
    def worse(self) -> dict[str, str]:
        """The tests that pass there and not here, with what became of them here: skipped is not passed."""
        tests = sorted(self.there.passed - self.here.passed)
        return {test: self.here.outcomes.get(test, NOT_RUN) for test in tests}

    @property
    def regressions(self) -> dict[str, str]:
        """Those of them that are not known to differ."""
        return {test: outcome for test, outcome in self.worse.items() if test not in self.differing}

    def complaints(self) -> Iterable[str]:
        """Say all that is wrong; nothing is what a comparison has to come to."""
        for test, outcome in self.regressions.items():
            yield f"{test}: {outcome}, and it passes on Flask"
        for test in sorted(self.differing.keys() - self.worse.keys()):
            yield f"{test} is listed as differing, and doesn't differ"
        if len(self.there.passed) < self.minimum:
            yield f"{len(self.there.passed)} tests are compared, {self.minimum} are the minimum"
        yield from complaints_about(self.there, "Flask", "flask")
        yield from complaints_about(self.here, "flaskctx", "flaskctx itself")


def complaints_about(run: Run, name: str, whose: str) -> Iterable[str]:
    """Say what makes a run worthless: it broke off, or tested something else than it was meant to."""
    if run.exit_status not in (0, 1):
        yield f"the run on {name} did not come to its end: pytest's exit status is {run.exit_status}"
    if len(run.witnesses) < 2:
        yield f"of the run on {name} not both pytest and the process it starts have said what `flask` is"
    for witness in run.witnesses:
        if witness != whose:
            yield f"in a process of the run on {name}, `flask` was {witness}"


def complaints_about_fault(fault: str, sound: Comparison, faulty: Comparison) -> Iterable[str]:
    """Say what is wrong with a run that has a fault in it: it must come to its end, and some tests must notice."""
    if faulty.here.exit_status != 1 or not faulty.here.passed:
        yield f"{fault}: that run proves nothing, pytest's exit status is {faulty.here.exit_status}"
    elif not faulty.worse.keys() - sound.worse.keys():
        yield f"{fault}: no test has noticed"
