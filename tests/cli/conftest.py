"""Modules to load applications from, in a folder of each test's own."""

from __future__ import annotations

import os
import sys
from textwrap import dedent

import pytest
from click.testing import CliRunner

from flaskctx.cli import ScriptInfo, cli


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory of a test: modules imported from it are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in [name for name in os.environ if name.startswith("FLASK_")]:
        del os.environ[name]
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def write(folder):
    """Write a file below the working directory, and the packages it lies in."""

    def write(path, text):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
        for package in file.relative_to(folder).parents:
            if package.name and file.suffix == ".py":
                (folder / package / "__init__.py").touch()
        return file

    return write


@pytest.fixture
def run(folder):
    """Run the command line in this process."""

    def run(*args, group=cli, **options):
        return CliRunner().invoke(group, [str(arg) for arg in args], **options)

    return run


@pytest.fixture
def invoke():
    """Run one command for an application that is there already."""

    def invoke(app, command, *args, **options):
        info = ScriptInfo(create_app=lambda: app, set_debug_flag=False)
        return CliRunner().invoke(command, args, obj=info, **options)

    return invoke
