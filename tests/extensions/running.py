"""One suite: its environment, its tests as they were published, and a run of them on Flask or on flaskctx."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from comparing import Run
from suites import HERE, Suite

TIME_LIMIT = 900
"""Seconds that one run may take; what hasn't been run by then counts as not run."""


class Workshop:
    """The folder of one suite: a virtual environment, the sdist, and the latest run of each kind.

    :param folder: what is there from an earlier time is used again, as long as the suite's entry is the same.
    :param wheel: of flaskctx, as it is now.
    """

    def __init__(self, suite: Suite, folder: Path, wheel: Path) -> None:
        self.suite = suite
        self.folder = folder
        self.python = folder / "environment" / "bin" / "python"
        self.sdists = folder / "sdist"
        self._prepare()
        pip(self.python, "install", "--no-deps", "--force-reinstall", str(wheel))
        pip(self.python, "install", str(wheel))

    def _prepare(self) -> None:
        """Make the environment and download the sdist, unless they are there."""
        made_for = self.folder / "made-for.txt"
        if made_for.exists() and made_for.read_text() == repr(self.suite):
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        venv.create(self.folder / "environment", with_pip=True)
        name = self.suite.distribution
        pip(sys.executable, "download", "--no-deps", "--no-binary", name, "-d", str(self.sdists), self.suite.sdist)
        pip(self.python, "install", str(self._sdist), *self.suite.requires)
        made_for.write_text(repr(self.suite))

    @property
    def _sdist(self) -> Path:
        [sdist] = self.sdists.iterdir()
        return sdist

    def run(self, name: str, *, as_flask: bool, fault: str | None = None) -> Run:
        """Run the tests in a fresh copy of the sdist.

        :param name: of the run, and of the folder it leaves behind: all that pytest printed is in `output.txt`.
        :param as_flask: whether flaskctx stands in for Flask.
        :param fault: one of the names in harness/faults.py.
        """
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.unpack_archive(self._sdist, folder / "sdist", filter="data")
        [tree] = (folder / "sdist").iterdir()
        outcomes, witnesses = folder / "outcomes.jsonl", folder / "witnesses.txt"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("FLASK", "PYTEST_", "NOX_"))},
            **self.suite.environment,
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(HERE / "harness"),
            "PYTHONHASHSEED": "0",
            "EXTENSIONS_OUTCOMES": str(outcomes),
            "EXTENSIONS_WITNESSES": str(witnesses),
        }
        if self.suite.prelude is not None:
            environment["EXTENSIONS_PRELUDE"] = self.suite.prelude
        if as_flask:
            environment["FLASKCTX_AS_FLASK"] = "1"
        if fault is not None:
            environment["EXTENSIONS_FAULT"] = fault
        deselected = [f"--deselect={test}" for test in self.suite.deselected]
        command = [self.python, "-m", "pytest", "-p", "recorder", "-o", "addopts=", "-o", "faulthandler_timeout=60"]
        command += ["-ra", "--continue-on-collection-errors"]
        with (folder / "output.txt").open("w") as output:
            try:
                subprocess.run(
                    [*command, *self.suite.options, *deselected, *self.suite.tests],
                    cwd=tree,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=TIME_LIMIT,
                )
            except subprocess.TimeoutExpired:
                output.write(f"\nstopped after {TIME_LIMIT} seconds\n")
        return Run.read(outcomes, witnesses)


def build_wheel(folder: Path) -> Path:
    """Build flaskctx as it is now; return the wheel."""
    shutil.rmtree(folder, ignore_errors=True)
    pip(sys.executable, "wheel", "--no-deps", "-w", str(folder), str(HERE.parents[1]))
    [wheel] = folder.iterdir()
    return wheel


def pip(python: str | Path, command: str, *arguments: str) -> None:
    """Run pip in an environment; what it says is of interest only if it fails."""
    done = subprocess.run([python, "-m", "pip", command, "-q", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"pip {command} {' '.join(arguments)}\n{done.stdout}{done.stderr}")
