"""AppGroup and with_appcontext: commands that run with the application's context."""

from __future__ import annotations

import asyncio
import sys

import click
import pytest
from click.testing import CliRunner

from flaskctx import run_in_thread
from flaskctx.app import Flask
from flaskctx.cli import AppGroup, ScriptInfo, pass_script_info, with_appcontext
from flaskctx.command_group import AppLoader
from flaskctx.globals import current_app, g


@pytest.fixture
def app():
    return Flask("the_app")


def output(result):
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_a_command_of_a_group_has_the_application(app, invoke):
    group = AppGroup("group")

    @group.command()
    @click.argument("word")
    def say(word):
        click.echo(f"{word} {current_app.name}")

    assert output(invoke(app, group, "say", "hello")) == "hello the_app\n"
    assert not current_app


def test_the_command_decorator_may_stand_without_parentheses(app, invoke):
    group = AppGroup("group")

    @group.command
    def say():
        click.echo(current_app.name)

    assert output(invoke(app, group, "say")) == "the_app\n"


def test_a_command_can_do_without_the_application(app, invoke):
    group = AppGroup("group")

    @group.command(with_appcontext=False)
    def say():
        click.echo(bool(current_app))

    assert output(invoke(app, group, "say")) == "False\n"


class TestAsyncCommands:
    """`async def` functions run on the background loop while the command waits."""

    @pytest.fixture
    def group(self):
        return AppGroup("group")

    def test_they_have_the_application_and_clicks_context(self, app, group, invoke):
        @group.command()
        @click.option("--word")
        async def say(word):
            await asyncio.sleep(0)
            click.echo(f"{word} {current_app.name} {click.get_current_context().info_name}")

        assert output(invoke(app, group, "say", "--word", "hello")) == "hello the_app say\n"

    def test_decorators_may_stand_between(self, app, group, invoke):
        @group.command()
        @click.pass_context
        @with_appcontext
        async def say(context):
            click.echo(f"{context.info_name} {current_app.name}")

        assert output(invoke(app, group, "say")) == "say the_app\n"

    def test_they_can_do_without_the_application(self, app, group, invoke):
        @group.command(with_appcontext=False)
        async def say():
            click.echo(bool(current_app))

        assert output(invoke(app, group, "say")) == "False\n"

    def test_a_group_may_be_one(self, app, group, invoke):
        @group.group
        async def sub():
            click.echo("group")

        @sub.command
        async def say():
            click.echo("command")

        assert output(invoke(app, group, "sub", "say")) == "group\ncommand\n"

    @pytest.mark.parametrize(
        ("leave", "code"),
        [
            (lambda: click.get_current_context().exit(3), 3),
            (lambda: sys.exit(4), 4),
            (lambda: click.get_current_context().fail("no"), 2),
            (lambda: click.get_current_context().abort(), 1),
        ],
    )
    def test_they_end_the_program_as_others_do(self, app, group, invoke, leave, code):
        @group.command()
        async def end():
            leave()

        assert invoke(app, group, "end").exit_code == code

    def test_what_they_raise_is_raised(self, app, group, invoke):
        @group.command()
        async def fail():
            raise LookupError("from the command")

        assert str(invoke(app, group, "fail").exception) == "from the command"

    def test_the_context_that_they_had_is_left_after_them(self, app, group, invoke, colour):
        @app.teardown_appcontext
        @colour
        def close(error):
            click.echo(f"closed {g.pool}")

        @group.command()
        async def use():
            g.pool = "the pool"
            await asyncio.sleep(0)
            click.echo("used")

        assert output(invoke(app, group, "use")) == "used\nclosed the pool\n"

    async def test_where_a_loop_runs_the_error_says_what_to_do(self, app, group, invoke):
        @group.command()
        async def say():
            raise AssertionError("not called")

        error = invoke(app, group, "say").exception
        assert "say is an async def function" in str(error)
        assert "await run_in_thread(runner.invoke, ...)" in str(error)

    async def test_and_that_works(self, app):
        @app.cli.command()
        async def say():
            click.echo(current_app.name)

        assert output(await run_in_thread(app.test_cli_runner().invoke, args=["say"])) == "the_app\n"


def test_a_subgroup_is_an_app_group_too(app, invoke):
    group = AppGroup("group")

    @group.group()
    def sub():
        """A group within the group."""

    @sub.command()
    def say():
        click.echo(current_app.name)

    assert isinstance(sub, AppGroup)
    assert output(invoke(app, group, "sub", "say")) == "the_app\n"


def test_the_context_stays_from_the_group_to_its_command(app, invoke):
    group = AppGroup("group")

    @group.group()
    @with_appcontext
    def sub():
        g.set_by_group = True

    @sub.command()
    def say():
        click.echo(g.set_by_group)

    assert output(invoke(app, group, "sub", "say")) == "True\n"


def test_a_context_that_is_active_is_used(app, invoke):
    @click.command()
    @with_appcontext
    def say():
        click.echo(current_app.name)

    with Flask("active").app_context():
        assert output(invoke(app, say)) == "active\n"


def test_a_command_outside_of_the_command_line_finds_the_application_by_itself(write):
    write("app.py", "from flaskctx.app import Flask\napp = Flask('found')\n")

    @click.command()
    @with_appcontext
    def say():
        click.echo(current_app.name)

    assert output(CliRunner().invoke(say)) == "found\n"


def test_without_the_command_line_the_error_says_how_to_run_the_command(monkeypatch):
    monkeypatch.setattr(AppLoader, "default", None)

    @click.command()
    @with_appcontext
    def say():
        raise AssertionError("not called")

    result = CliRunner().invoke(say)
    assert result.exit_code == 2
    assert "flaskctx --app" in result.output


class TestRunner:
    def test_a_command_may_ask_for_the_script_info(self, app):
        @app.cli.command()
        @pass_script_info
        def show(info):
            click.echo(f"{type(info) is ScriptInfo} {info.load_app() is app}")

        assert output(app.test_cli_runner().invoke(args=["show"])) == "True True\n"

    def test_debug_mode_stays_as_the_test_has_set_it(self, app):
        @app.cli.command()
        def show():
            click.echo(current_app.debug)

        app.debug = True
        assert output(app.test_cli_runner().invoke(args=["show"])) == "True\n"

    def test_it_runs_commands_that_know_nothing_of_the_command_line(self, app, monkeypatch):
        monkeypatch.setattr(AppLoader, "default", None)

        @app.cli.command()
        def show():
            click.echo(current_app.name)

        assert output(app.test_cli_runner().invoke(args=["show"])) == "the_app\n"
