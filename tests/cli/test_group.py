"""The command line: its options, and where its commands come from."""

from __future__ import annotations

import importlib.metadata
import sys
from contextvars import copy_context
from functools import partial
from types import SimpleNamespace

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

import flaskctx.cli.group
from flaskctx.app import Flask
from flaskctx.cli import FlaskGroup, ScriptInfo, cli, pass_script_info
from flaskctx.globals import current_app

APP = """
import os
import click
from flaskctx.app import Flask
from flaskctx.globals import current_app

app = Flask(__name__)

@app.cli.command()
def show():
    "Show what the command sees."
    variables = {name: os.environ.get(name) for name in "ABC"}
    click.echo(f"{current_app.name} debug={current_app.debug} {variables}")

def name(ctx, param, value):
    return current_app.name

@app.cli.command(with_appcontext=False)
@click.option("--name", callback=name)
def callback(name):
    click.echo(name)
"""


@pytest.fixture
def web(write):
    return write("web.py", APP)


class TestCommands:
    def test_an_application_adds_its_commands(self, run, web):
        assert run("--app", "web", "show").output.startswith("web debug=False")

    def test_an_option_of_the_group_behind_the_command_is_told_its_place(self, run, web):
        result = run("routes", "--app", "web")
        assert result.exit_code == 2
        assert "--app stands in front of the command, as in 'flaskctx --app ... routes'." in result.output

    def test_an_option_that_nobody_has_is_just_that(self, run, web):
        assert "No such option '--aap'" in run("--app", "web", "routes", "--aap").output

    def test_callbacks_of_options_have_the_application_too(self, run, web):
        assert run("--app", "web", "callback").output == "web\n"

    def test_the_help_lists_all_commands(self, run, web):
        shown = run("--app", "web", "--help").output
        for command in ("run", "routes", "shell", "lifecycle", "show"):
            assert f"\n  {command} " in shown
        assert "Show what the command sees." in shown

    def test_the_help_finds_the_application_of_the_environment(self, run, web):
        assert "show" in run("--help", env={"FLASK_APP": "web"}).output

    def test_without_a_command_the_help_is_shown_as_an_error(self, run, web):
        result = run(env={"FLASK_APP": "web"})
        assert result.exit_code == 2
        assert "Show what the command sees." in result.stderr

    @pytest.mark.parametrize(
        ("module", "message"),
        [("import not_there", "not_there"), ("raise RuntimeError('at import')", "at import")],
    )
    def test_an_application_that_fails_leaves_the_help(self, run, write, module, message):
        write("web.py", module)
        result = run("--app", "web", "--help")
        assert result.exit_code == 0
        assert "routes" in result.stdout
        assert message in result.stderr

    def test_an_unknown_command_is_an_error_that_names_the_lack_of_an_application(self, run, folder):
        result = run("--app", "nowhere", "show")
        assert result.exit_code == 2
        assert "no module 'nowhere'" in result.stderr
        assert "No such command 'show'" in result.stderr

    def test_the_traceback_of_an_application_is_not_hidden(self, run, write):
        write("web.py", "raise RuntimeError('at import')")
        assert str(run("--app", "web", "show").exception) == "at import"

    @pytest.fixture
    def packages(self, monkeypatch):
        """Installed packages that add the command `ours`, and for Flask `theirs` and another `shell`."""

        def say(name):
            return click.Command(name, callback=lambda: click.echo(f"from a package: {name}"))

        def entry_points(group):
            names = {"flaskctx.commands": ["ours"], "flask.commands": ["theirs", "shell"]}[group]
            return [SimpleNamespace(name=name, load=partial(say, name)) for name in names]

        monkeypatch.setattr(flaskctx.cli.group, "entry_points", entry_points)

    @pytest.fixture
    def stands_in(self, monkeypatch):
        """flaskctx stands in for Flask."""
        monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(stands_in_for="flask"), *sys.meta_path])

    def test_packages_add_commands_through_entry_points(self, run, web, packages):
        assert run("ours", group=FlaskGroup("fresh")).output == "from a package: ours\n"
        assert "\n  ours" in run("--app", "web", "--help", group=FlaskGroup("fresh")).output

    def test_those_made_for_flask_are_left_alone(self, run, web, packages):
        assert run("--app", "web", "theirs", group=FlaskGroup("fresh")).exit_code == 2
        assert "theirs" not in run("--app", "web", "--help", group=FlaskGroup("fresh")).output

    def test_unless_flaskctx_stands_in_for_flask(self, run, web, packages, stands_in):
        for name in ("ours", "theirs", "shell"):
            assert run("--app", "web", name, group=FlaskGroup("fresh")).output == f"from a package: {name}\n"
        assert "theirs" in run("--app", "web", "--help", group=FlaskGroup("fresh")).output

    def test_which_the_application_itself_may_bring_about(self, run, write, packages, stands_in):
        finder = sys.meta_path.pop(0)
        sys.stand_in = lambda: sys.meta_path.insert(0, finder)
        write("web.py", f"import sys\nsys.stand_in()\n{APP}")
        try:
            assert run("--app", "web", "theirs", group=FlaskGroup("fresh")).output == "from a package: theirs\n"
        finally:
            del sys.stand_in

    def test_a_script_has_its_own_application(self, run):
        script = FlaskGroup(name="script", create_app=lambda: Flask("scripted"))

        @script.command()
        def show():
            click.echo(current_app.name)

        assert run("show", group=script).output == "scripted\n"

    def test_a_script_can_leave_out_the_commands_of_the_framework(self, folder):
        script = FlaskGroup(name="script", add_default_commands=False, add_version_option=False)
        assert script.list_commands(click.Context(script, obj=ScriptInfo(create_app=lambda: Flask("x")))) == []
        assert CliRunner().invoke(script, ["--version"]).exit_code == 2

    def test_commands_may_ask_for_the_script_info(self, run, web):
        script = FlaskGroup(name="script")

        @script.command(with_appcontext=False)
        @pass_script_info
        def show(info):
            click.echo(info.app_import_path)

        assert run("--app", "web", "show", group=script).output == "web\n"


class TestOptions:
    def test_the_application_may_be_named_by_a_variable(self, run, web):
        assert run("show", env={"FLASK_APP": "web"}).output.startswith("web ")

    @pytest.mark.parametrize(
        ("args", "env", "debug"),
        [
            ([], {}, False),
            (["--debug"], {}, True),
            ([], {"FLASK_DEBUG": "1"}, True),
            (["--no-debug"], {"FLASK_DEBUG": "1"}, False),
        ],
    )
    def test_debug_mode_is_switched_by_option_or_variable(self, run, web, args, env, debug):
        assert f"debug={debug}" in run("--app", "web", *args, "show", env=env).output

    def test_the_version_is_shown(self, run):
        shown = run("--version").output
        assert [line.split()[0] for line in shown.splitlines()] == ["Python", "flaskctx", "Werkzeug"]

    def test_but_not_by_a_variable_that_happens_to_have_its_name(self, run, web):
        assert run("--app", "web", "show", env={"FLASK_VERSION": "3.1"}).output.startswith("web ")

    def test_and_the_version_of_flask_where_flaskctx_stands_in_for_it(self, run, monkeypatch):
        monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(stands_in_for="flask"), *sys.meta_path])
        assert f"Flask {importlib.metadata.version('flask')}, for which" in run("--version").output


class TestCompletion:
    @pytest.fixture
    def no_leaks(self):
        """What completing pushes is left to the end of a process that does nothing else."""

    @pytest.fixture
    def complete(self, folder):
        def complete(*args):
            *before, incomplete = args
            shell = ShellComplete(cli, {}, "flaskctx", "_FLASKCTX_COMPLETE")
            # as in a process of its own: the context that click makes isn't closed
            items = copy_context().run(shell.get_completions, before, incomplete)
            return [item.value for item in items]

        return complete

    def test_commands_of_the_application(self, complete, web):
        assert complete("--app", "web", "sh") == ["shell", "show"]

    def test_of_one_that_a_file_names(self, complete, web, write):
        write(".flaskenv", "FLASK_APP=web\n")
        assert complete("sho") == ["show"]

    def test_options(self, complete):
        assert complete("run", "--as") == ["--asgi"]

    def test_endpoints(self, complete, write):
        write("web.py", APP + "app.add_url_rule('/', 'index')\napp.add_url_rule('/i', 'inner.item')\n")
        assert complete("--app", "web", "lifecycle", "in") == ["index", "inner.item"]


class TestEnvironmentFiles:
    @pytest.fixture(autouse=True)
    def files(self, write, web):
        write(".env", "A=env\nB=env\n")
        write(".flaskenv", "A=flaskenv\nB=flaskenv\nC=flaskenv\nFLASK_APP=web\n")
        write("my.env", "A=file\n")

    def test_env_goes_before_flaskenv(self, run):
        assert "{'A': 'env', 'B': 'env', 'C': 'flaskenv'}" in run("show").output

    def test_a_named_file_goes_before_both(self, run):
        assert "{'A': 'file', 'B': 'env', 'C': 'flaskenv'}" in run("-e", "my.env", "show").output

    def test_the_environment_goes_before_all_files(self, run):
        assert "{'A': 'set', 'B': 'env', 'C': 'flaskenv'}" in run("-e", "my.env", "show", env={"A": "set"}).output

    def test_files_are_found_from_a_folder_below(self, run, folder, monkeypatch):
        (folder / "below").mkdir()
        monkeypatch.chdir(folder / "below")
        assert "'A': 'env'" in run("--app", folder / "web.py", "show").output

    def test_the_default_files_can_be_skipped(self, run):
        result = run("-e", "my.env", "--app", "web", "show", env={"FLASK_SKIP_DOTENV": "1"})
        assert "{'A': 'file', 'B': None, 'C': None}" in result.output

    def test_the_help_reads_them_too(self, run):
        assert "Show what the command sees." in run("--help").output

    def test_a_named_file_has_to_exist(self, run):
        assert "nowhere.env" in run("-e", "nowhere.env", "show").stderr

    def test_without_dotenv_a_named_file_is_an_error_and_the_others_are_mentioned(self, run, monkeypatch):
        monkeypatch.setitem(sys.modules, "dotenv", None)
        assert "pip install python-dotenv" in run("-e", "my.env", "show").stderr
        result = run("--app", "web", "show")
        assert ".env is not loaded" in result.stderr
        assert "{'A': None, 'B': None, 'C': None}" in result.stdout
