"""Programs in processes of their own: this one has the real Flask, and must keep it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def python(tmp_path):
    """Run Python with arguments in a folder of its own: `python("-m", "module", ...)`; returns what it has printed."""

    def run(*arguments, status=0, **environment):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLASK")}
        done = subprocess.run(
            [sys.executable, "-W", "error", *map(str, arguments)],
            cwd=tmp_path,
            env={**inherited, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def write(tmp_path):
    """Write a file for `python`: `write("app.py", "...")`; returns its path."""

    def write_file(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    return write_file


@pytest.fixture
def as_flask(python, write):
    """Run a program in which flaskctx stands in for Flask; returns what it has printed."""

    def run(program, **options):
        text = textwrap.dedent(program)
        return python(write("program.py", f"import flaskctx\nflaskctx.install_as_flask()\n{text}"), **options)

    return run
