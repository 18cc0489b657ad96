"""The interactive shell."""

from __future__ import annotations

import pytest

from flaskctx.app import Flask
from flaskctx.cli import shell_command


@pytest.fixture
def app():
    app = Flask("the_app")
    app.shell_context_processor(lambda: {"answer": 42})
    return app


def test_the_shell_has_the_applications_context_and_names(app, invoke):
    result = invoke(app, shell_command, input="print(app.name, g is not None, answer + 1)\n")
    assert result.exit_code == 0
    assert "the_app True 43" in result.output


def test_the_banner_names_the_application(app, invoke):
    shown = invoke(app, shell_command, input="").output
    assert "Application: the_app" in shown
    assert app.instance_path in shown


def test_the_startup_file_of_the_interpreter_is_run(app, invoke, tmp_path):
    startup = tmp_path / "startup.py"
    startup.write_text("started = 'yes'\nanswer = 1\n")
    result = invoke(app, shell_command, input="print(started, answer)\n", env={"PYTHONSTARTUP": str(startup)})
    assert "yes 42" in result.output


def test_names_are_completed_where_the_interpreter_can(app, invoke, monkeypatch):
    readline = pytest.importorskip("readline")
    kept = readline.get_completer()
    completers = []
    monkeypatch.setattr(readline, "set_completer", completers.append)
    monkeypatch.setattr("sys.__interactivehook__", lambda: __import__("rlcompleter"), raising=False)
    invoke(app, shell_command, input="")
    readline.set_completer(kept)
    assert "answer" in completers[0]("answe", 0)
