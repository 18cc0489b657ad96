"""One suite: its environment, its tests as they were published, and a run of them on Flask or on flaskctx."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import venv
from pathlib import Path

from comparing import Run
from suites import HERE, Suite, project

TIME_LIMIT = 900
"""Seconds that a run may take; the tests that haven't been run by then count as not run."""

PYTEST = ["-m", "pytest", "-p", "recorder", "-ra", "-o", "addopts=", "--continue-on-collection-errors"]


class PipFailed(Exception):
    """An environment or an sdist can't be had; the message is what pip said."""


class Workshop:
    """The folder of one suite: a virtual environment, the sdist, and what the latest runs have left.

    :param folder: what is there already is used again, as long as the suite's entry in the table stays the same.
    :param wheel: flaskctx as it is now.
    :raises PipFailed:
    """

    def __init__(self, suite: Suite, folder: Path, wheel: Path) -> None:
        self.suite = suite
        self.folder = folder
        self.python = folder / "environment" / "bin" / "python"
        made_for = folder / "made-for.txt"
        if not made_for.exists() or made_for.read_text() != repr(suite):
            shutil.rmtree(folder, ignore_errors=True)
            self.sdist = download(suite.sdist, folder / "sdist")
            venv.create(folder / "environment", with_pip=True)
            pip(self.python, "install", str(self.sdist), *suite.requires)
            made_for.write_text(repr(suite))
        [self.sdist] = (folder / "sdist").iterdir()
        pip(self.python, "install", "--force-reinstall", "--no-deps", str(wheel))
        pip(self.python, "install", str(wheel))

    def run(self, name: str, *, as_flask: bool, fault: str | None = None) -> Run:
        """Run the tests in a fresh copy of the sdist.

        :param name: the run's, and its folder's, where all that pytest printed is in `output.txt`.
        :param as_flask: whether flaskctx stands in for Flask.
        :param fault: one of the names in harness/faults.py.
        """
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.unpack_archive(self.sdist, folder / "sdist", filter="data")
        [tree] = (folder / "sdist").iterdir()
        # for suites that have no configuration: pytest looks for one in all folders above
        (folder / "pytest.ini").touch()
        outcomes, witnesses = folder / "outcomes.jsonl", folder / "witnesses.txt"
        settings = {
            "FLASKCTX_AS_FLASK": "1" if as_flask else None,
            "EXTENSIONS_OUTCOMES": str(outcomes),
            "EXTENSIONS_WITNESSES": str(witnesses),
            "EXTENSIONS_PRELUDE": self.suite.prelude,
            "EXTENSIONS_FAULT": fault,
        }
        with (folder / "output.txt").open("w") as output:
            process = subprocess.Popen(
                [self.python, *PYTEST, f"--rootdir={tree}", *self.suite.tests],
                cwd=tree,
                env=self._environment() | {name: value for name, value in settings.items() if value is not None},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                process.wait(TIME_LIMIT)
            except subprocess.TimeoutExpired:
                output.write(f"\nstopped after {TIME_LIMIT} seconds\n")
            finally:
                end(process)
        return Run.read(outcomes, witnesses)

    def _environment(self) -> dict[str, str]:
        """Return the environment variables of a run: ours, without those that frameworks and test runners read."""
        foreign = ("FLASK", "PYTEST", "PYTHON", "NOX", "VIRTUAL_ENV")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            "PATH": os.pathsep.join((str(self.python.parent), os.environ["PATH"])),
            "PYTHONPATH": str(HERE / "harness"),
            "PYTHONHASHSEED": "0",
        }


def end(process: subprocess.Popen[bytes]) -> None:
    """End a run and the processes that its tests have left."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def download(requirement: str, folder: Path) -> Path:
    """Download the sdist of a release; return it."""
    name = project(requirement)
    pip(sys.executable, "download", "--no-deps", "--no-binary", name, "--dest", str(folder), requirement)
    [sdist] = folder.iterdir()
    return sdist


def build_wheel(folder: Path) -> Path:
    """Build flaskctx as it is now; return the wheel."""
    shutil.rmtree(folder, ignore_errors=True)
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(folder), str(HERE.parents[1]))
    [wheel] = folder.iterdir()
    return wheel


def pip(python: str | Path, *arguments: str) -> None:
    """Run pip in an environment; what it says is of interest only if it fails."""
    done = subprocess.run([python, "-m", "pip", "--quiet", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise PipFailed(f"pip {' '.join(arguments)}\n{done.stdout}{done.stderr}")
