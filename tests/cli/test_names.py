"""The names that extensions import from `flask.cli`, which is this package where flaskctx stands in for Flask."""

from __future__ import annotations

import inspect

import flask.cli
import pytest

import flaskctx.cli

FLASKS = {name for name, value in vars(flask.cli).items() if getattr(value, "__module__", "") == "flask.cli"} - {"F"}
COMMANDS = {"cli", "routes_command", "run_command", "shell_command"}
REST = {"get_debug_flag", "get_load_dotenv", "pass_script_info", "_validate_key"}


def options_of(command):
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("name", sorted({name for name in FLASKS if not name.startswith("_")} | COMMANDS | REST))
def test_they_are_there(name):
    assert hasattr(flaskctx.cli, name)


@pytest.mark.parametrize(
    "name",
    [
        "AppGroup",
        "FlaskGroup",
        "ScriptInfo",
        "find_app_by_string",
        "find_best_app",
        "get_version",
        "load_dotenv",
        "locate_app",
        "main",
        "prepare_import",
        "show_server_banner",
        "with_appcontext",
        "_validate_key",
    ],
)
def test_they_take_the_same_parameters(name):
    ours, theirs = (inspect.signature(getattr(module, name)) for module in (flaskctx.cli, flask.cli))
    assert [(p.name, p.kind, p.default) for p in ours.parameters.values()] == [
        (p.name, p.kind, p.default) for p in theirs.parameters.values()
    ]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_commands_have_the_options_of_flasks(name):
    assert options_of(getattr(flask.cli, name)) <= options_of(getattr(flaskctx.cli, name))


def test_a_script_info_has_its_attributes():
    ours, theirs = flaskctx.cli.ScriptInfo(), flask.cli.ScriptInfo()
    assert {name for name in dir(theirs) if not name.startswith("_")} <= set(dir(ours))
