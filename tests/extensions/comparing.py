"""What two runs of one suite say: on Flask itself, and with flaskctx in its place."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

PASSED = "passed"
MISSING = "not run"


@dataclass(frozen=True)
class Run:
    """One run of a suite.

    :param outcomes: of each test, by its id: passed, failed, error, skipped, xfailed or xpassed.
    :param exit_status: pytest's; None when it didn't come to its end.
    :param witnesses: for each process that has imported `flask`, whose it was.
    """

    outcomes: dict[str, str]
    exit_status: int | None = 0
    witnesses: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, outcomes: Path, witnesses: Path) -> Run:
        """Read what the recorder and the witnesses have written; what they didn't get to write is missing."""
        entries = dict(json.loads(line) for line in outcomes.read_text().splitlines()) if outcomes.exists() else {}
        seen = witnesses.read_text().splitlines() if witnesses.exists() else []
        exit_status = entries.pop("the run's exit status", None)
        return cls(entries, exit_status, [line.partition(" ")[2] for line in seen])

    @property
    def passed(self) -> set[str]:
        """The ids of the tests that have passed."""
        return {test for test, outcome in self.outcomes.items() if outcome == PASSED}


@dataclass(frozen=True)
class Comparison:
    """The two runs side by side.

    :param differing: patterns (a test's id, or the beginning of one that ends with `*`) of tests that may fail here, with reasons.
    """

    there: Run
    here: Run
    minimum: int
    differing: dict[str, str] = field(default_factory=dict)

    @property
    def worse(self) -> dict[str, str]:
        """The tests that pass there and not here, with what became of them here: skipped is not passed."""
        return {
            test: self.here.outcomes.get(test, MISSING) for test in sorted(self.there.passed - self.here.passed)
        }

    @property
    def regressions(self) -> dict[str, str]:
        """Those of them that are not known to differ."""
        return {test: outcome for test, outcome in self.worse.items() if test not in self.differing}

    def complaints(self) -> list[str]:
        """Return all that is wrong, in sentences; an empty list is what a run has to come to."""
        found = [f"{test}: {outcome}, and it passes on Flask" for test, outcome in self.regressions.items()]
        found += [
            f"{test}: listed as differing, and it doesn't" for test in sorted(self.differing.keys() - self.worse.keys())
        ]
        if len(self.there.passed) < self.minimum:
            found.append(f"only {len(self.there.passed)} tests compared, {self.minimum} are the minimum")
        for name, run, expected in (("Flask", self.there, "flask"), ("flaskctx", self.here, "flaskctx itself")):
            if run.exit_status not in (0, 1):
                found.append(f"the run on {name} didn't come to its end: pytest's exit status is {run.exit_status}")
            if len(run.witnesses) < 2:
                found.append(f"the run on {name} has {len(run.witnesses)} processes that bear witness, 2 are the minimum")
            found += [f"a process of the run on {name} got `flask` from {got}" for got in run.witnesses if got != expected]
        return found
