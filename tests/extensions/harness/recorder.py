"""A pytest plugin for the run of a suite: writes the outcome of each test down as soon as it is known."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Any

from faults import FAULTS

WORST_LAST = ["passed", "xpassed", "xfailed", "skipped", "failed", "error"]


class Recorder:
    """Writes a line for each test, a JSON list of its id and its outcome, and a last one with the exit status."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.running: dict[str, str] = {}

    def write(self, *line: Any) -> None:
        """Append a line; the file may not stay open, since tests look for open files."""
        with open(self.path, "a") as lines:
            lines.write(json.dumps(line) + "\n")

    def pytest_collectreport(self, report: Any) -> None:
        """Take down a file that can't be collected."""
        if report.failed:
            self.write(report.nodeid, "error")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take the worst of setup, call and teardown for the outcome of a test."""
        outcome = max(self.running.get(report.nodeid, "passed"), outcome_of(report), key=WORST_LAST.index)
        self.running[report.nodeid] = outcome
        if report.when == "teardown":
            self.write(report.nodeid, self.running.pop(report.nodeid))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Say that the run has come to its end."""
        self.write("pytest's exit status", int(exitstatus))


def outcome_of(report: Any) -> str:
    """Return the outcome of one phase of a test: setup, call or teardown."""
    if hasattr(report, "wasxfail"):
        return "xpassed" if report.passed else "xfailed"
    if report.failed and report.when != "call":
        return "error"
    return str(report.outcome)


def pytest_configure(config: Any) -> None:
    """Record this run, with the fault in it that was asked for."""
    config.pluginmanager.register(Recorder(os.environ["EXTENSIONS_OUTCOMES"]))
    exec(os.environ.get("EXTENSIONS_PRELUDE", ""), {})
    if "EXTENSIONS_FAULT" in os.environ:
        FAULTS[os.environ["EXTENSIONS_FAULT"]]()
    # this process and one that it starts: both say at their end what `flask` is there (sitecustomize.py)
    subprocess.run([sys.executable, "-c", "import flask.globals, flask.json.tag"], check=True)
    importlib.import_module("flask")
