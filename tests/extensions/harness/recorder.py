"""A pytest plugin for the run of a suite: writes the outcome of each test down as soon as it is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from faults import FAULTS

WORST_LAST = ["passed", "xpassed", "xfailed", "skipped", "failed", "error"]


class Recorder:
    """Writes one line a test, a JSON list of its id and its outcome, and at the end one with pytest's exit status."""

    def __init__(self, path: str) -> None:
        self.lines = open(path, "w")
        self.running: dict[str, str] = {}

    def write(self, *line: Any) -> None:
        self.lines.write(json.dumps(line) + "\n")
        self.lines.flush()

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.write(report.nodeid, "error")

    def pytest_runtest_logreport(self, report: Any) -> None:
        outcome = max(self.running.get(report.nodeid, "passed"), outcome_of(report), key=WORST_LAST.index)
        self.running[report.nodeid] = outcome
        if report.when == "teardown":
            self.write(report.nodeid, self.running.pop(report.nodeid))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self.write("the run's exit status", int(exitstatus))


def outcome_of(report: Any) -> str:
    """Return the outcome of one phase of a test: setup, call or teardown."""
    if hasattr(report, "wasxfail"):
        return "xpassed" if report.passed else "xfailed"
    if report.failed and report.when != "call":
        return "error"
    return report.outcome  # type: ignore[no-any-return]


def pytest_configure(config: Any) -> None:
    """Record this run, with the fault in it that the environment asks for."""
    config.pluginmanager.register(Recorder(os.environ["EXTENSIONS_OUTCOMES"]))
    if "EXTENSIONS_FAULT" in os.environ:
        FAULTS[os.environ["EXTENSIONS_FAULT"]]()
    exec(os.environ.get("EXTENSIONS_PRELUDE", ""), {})
    # both bear witness when they end, this process and one that it starts
    subprocess.run([sys.executable, "-c", "import flask.globals, flask.json.tag"], check=True)
    import flask  # noqa: F401
