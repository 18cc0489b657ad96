"""`FLASKCTX_AS_FLASK=1`: the alias is there before a program starts, by a `.pth` file that installing puts in place."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import pytest

from .conftest import ROOT

PTH = ROOT / "flaskctx/compat/flaskctx_as_flask.pth"

PROGRAM = """
import json, sys
started_with = sorted({"flaskctx", "flask", "typing", "runpy", "importlib.metadata"} & sys.modules.keys())
aliased = [finder for finder in sys.meta_path if getattr(finder, "stands_in_for", None) == "flask"]
import flask
print(json.dumps([len(aliased), started_with, flask.__name__]))
"""


@pytest.fixture
def site(tmp_path):
    """A folder with installed packages."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def start(python, write, site):
    """Start PROGRAM with a folder of installed packages; returns the number of aliases, modules, and who is `flask`."""

    def run(value=None, program=PROGRAM):
        # what `site` does with site-packages when an interpreter starts; -S: a startup of the test's own environment
        write("start.py", f"import site, sys; site.addsitedir(sys.argv[1])\n{program}")
        paths = [path for path in sys.path if path.endswith("site-packages")]
        environment = {} if value is None else {"FLASKCTX_AS_FLASK": value}
        return json.loads(python("-S", "start.py", site, PYTHONPATH=":".join(paths), **environment))

    return run


@pytest.fixture
def installed(site):
    """The folder as an editable install leaves it."""
    (site / "_editable.pth").write_text(f"{ROOT}\n")
    (site / PTH.name).write_text(PTH.read_text())


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_it_is_on(installed, start, value):
    assert start(value) == [1, [], "flaskctx"]


@pytest.mark.parametrize("value", [None, "", "0", "false", "No"])
def test_it_is_off(installed, start, value):
    assert start(value) == [0, [], "flask"]


def test_calling_install_as_flask_as_well_changes_nothing(installed, start):
    program = """
import json, sys
import flaskctx
flaskctx.install_as_flask()
import flask
finders = [finder for finder in sys.meta_path if getattr(finder, "stands_in_for", None) == "flask"]
print(json.dumps([len(finders), type(finders[0]) is flaskctx.compat.alias.AliasFinder, flask is flaskctx]))
"""
    assert start("1", program) == [1, True, True]


def test_metadata_is_answered_without_importing_anything(installed, start):
    program = """
import importlib.metadata, json, sys
print(json.dumps([importlib.metadata.requires("flask"), "flaskctx" in sys.modules]))
"""
    assert start("1", program) == [["flaskctx"], False]


def test_where_it_is_off_it_costs_one_look_at_the_environment():
    condition, _, rest = PTH.read_text().partition(" and ")
    assert condition == 'import os; os.environ.get("FLASKCTX_AS_FLASK", "").lower() not in ("", "0", "false", "no")'
    assert "\n" not in rest.rstrip("\n")  # site runs each line by itself


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_both_kinds_of_wheel_bring_it(kind, site, start, tmp_path):
    for name in ("hatchling", "editables"):
        pytest.importorskip(name, reason=f"the extra `test` installs {name}")
    build = f"import hatchling.build, sys; hatchling.build.build_{kind}(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, tmp_path], cwd=ROOT, check=True, timeout=60, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    assert (site / "flaskctx").exists() == (kind == "wheel")
    assert start("1") == [1, [], "flaskctx"]
    assert start() == [0, [], "flask"]
