"""`python -m flaskctx.compat`: a program is run as python runs it, with flaskctx as its Flask."""

from __future__ import annotations

import json

import pytest

SEEN = """
import json, os, sys
import flask
main = sys.modules["__main__"]
print(json.dumps({
    "flask": flask.__name__,
    "argv": sys.argv,
    "path": os.path.realpath(sys.path[0] or os.getcwd()),
    "name": __name__,
    "is_main": vars(main) is globals(),
    "file": os.path.realpath(__file__),
    "spec": __spec__.name if __spec__ else None,
    "package": __package__,
}))
"""


@pytest.fixture
def seen(python):
    """Run a program that prints SEEN, with the alias and without; both are the same but for `flask`."""

    def run(*arguments):
        plain = json.loads(python(*arguments))
        aliased = json.loads(python("-m", "flaskctx.compat", *arguments))
        assert (plain.pop("flask"), aliased.pop("flask")) == ("flask", "flaskctx")
        # runpy's: __package__ is "" for a file, and None where python runs it itself
        assert not (plain.pop("package") or "") or aliased["package"]
        aliased.pop("package")
        assert plain == aliased
        return aliased

    return run


def test_a_file(seen, write, tmp_path):
    path = write("folder/program.py", SEEN)
    found = seen("folder/program.py", "--option", "argument", "-m")
    assert found["argv"] == ["folder/program.py", "--option", "argument", "-m"]
    assert found["path"] == str(path.parent.resolve())


def test_a_link_to_a_file(seen, write, tmp_path):
    path = write("folder/program.py", SEEN)
    (tmp_path / "link.py").symlink_to(path)
    assert seen("link.py")["path"] == str(path.parent.resolve())


def test_a_folder(seen, write):
    write("folder/__main__.py", SEEN)
    assert seen("folder", "argument")["argv"] == ["folder", "argument"]


def test_a_module(seen, write):
    write("program.py", SEEN)
    found = seen("-m", "program", "--option", "-m", "x")
    assert (found["spec"], found["argv"][1:]) == ("program", ["--option", "-m", "x"])


def test_a_package(seen, write):
    write("package/__init__.py", "")
    write("package/__main__.py", SEEN)
    assert seen("-m", "package")["spec"] == "package.__main__"


def test_the_command_line_of_flask(python, write):
    write("app.py", "import flask\napp = flask.Flask('it')\n@app.get('/here')\ndef here(): ...\n")
    assert "/here" in python("-m", "flaskctx.compat", "-m", "flask", "routes")


def test_a_safe_path_stays_safe(python, write, tmp_path):
    write("program.py", "import sys, flask; print(sys.path)")
    assert str(tmp_path) not in python("-P", "-m", "flaskctx.compat", "program.py")


def test_pytest(python, write):
    write("test_it.py", "import flask, flaskctx\ndef test_it():\n    assert flask is flaskctx\n")
    assert "1 passed" in python("-m", "flaskctx.compat", "-m", "pytest", "-q", "-p", "no:asyncio", "test_it.py")


def test_the_exit_status_is_the_programs(python, write):
    write("program.py", "import sys; sys.exit(7)")
    python("-m", "flaskctx.compat", "program.py", status=7)


def test_processes_that_it_starts_are_asked_for_it_too(python, write):
    write("program.py", "import os; print(os.environ['FLASKCTX_AS_FLASK'])")
    assert python("-m", "flaskctx.compat", "program.py") == "1\n"


@pytest.mark.parametrize("arguments", [[], ["-m"], ["-x"], ["--", "program.py"]])
def test_other_arguments_are_answered_with_the_usage(python, arguments):
    assert "usage: python -m flaskctx.compat" in python("-m", "flaskctx.compat", *arguments, status=2)


def test_help(python):
    assert "usage: python -m flaskctx.compat" in python("-m", "flaskctx.compat", "--help")
