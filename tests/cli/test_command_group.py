"""AppGroup and with_appcontext: commands that run with the application's context."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from flaskctx.app import Flask
from flaskctx.cli import AppGroup, with_appcontext
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


def test_async_commands_are_waited_for(app, invoke):
    group = AppGroup("group")

    @group.command()
    async def say():
        click.echo(current_app.name)

    assert output(invoke(app, group, "say")) == "the_app\n"


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
