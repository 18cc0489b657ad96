"""The interactive shell."""

from __future__ import annotations

import asyncio

import pytest

from flaskctx.app import Flask
from flaskctx.cli import shell_command
from flaskctx.globals import current_app


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


def test_names_may_come_from_an_async_function(app, invoke):
    @app.shell_context_processor
    async def more():
        return {"fetched": 7}

    assert "7 42" in invoke(app, shell_command, input="print(fetched, answer)\n").output


class TestAwait:
    @pytest.fixture
    def shown(self, app, invoke):
        @app.shell_context_processor
        def names():
            return {"double": double}

        async def double(number):
            await asyncio.sleep(0)
            return f"{app.name if current_app else None} {number * 2}"

        return lambda *lines: invoke(app, shell_command, input="\n".join([*lines, ""]))

    def test_works_at_the_prompt(self, shown):
        assert "'the_app 6'" in shown("await double(3)").output

    def test_in_statements(self, shown):
        assert "the_app 2\nthe_app 4\n" in shown("for n in (1, 2):", "    print(await double(n))", "").output

    def test_and_in_async_blocks(self, shown):
        lines = ("async with app.app_context() as context:", "    print('in', context.app.name)", "")
        assert "in the_app" in shown(*lines).output

    def test_names_stay(self, shown):
        assert "kept: the_app 2" in shown("kept = await double(1)", "print('kept:', kept)").output

    def test_an_error_leaves_the_shell_open(self, shown):
        result = shown("await double()", "print('still here')")
        assert "TypeError" in result.output
        assert "still here" in result.output

    def test_exit_ends_it(self, shown):
        assert shown("raise SystemExit(await double(1) == 'the_app 2' and 5)").exit_code == 5


def test_names_are_completed_where_the_interpreter_can(app, invoke, monkeypatch):
    readline = pytest.importorskip("readline")
    kept = readline.get_completer()
    completers = []
    monkeypatch.setattr(readline, "set_completer", completers.append)
    monkeypatch.setattr("sys.__interactivehook__", lambda: __import__("rlcompleter"), raising=False)
    invoke(app, shell_command, input="")
    readline.set_completer(kept)
    assert "answer" in completers[0]("answe", 0)
