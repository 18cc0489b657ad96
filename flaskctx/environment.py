"""The environment variables that .env and .flaskenv files define."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import click

DEFAULT_FILES = (".env", ".flaskenv")


def is_supported() -> bool:
    """Tell whether python-dotenv, which reads the files, is installed."""
    return _dotenv() is not None


def load_dotenv(path: str | os.PathLike[str] | None = None, load_defaults: bool = True) -> bool:
    """Set the variables of a file, then of the nearest .env and .flaskenv, that are not set already.

    Files are read in this order, so that the first one that defines a variable decides; the environment
    itself wins over all of them. Each default file is looked for in the working directory and those above.

    :param path: a file to read first.
    :param load_defaults: whether the default files are read.
    :returns: whether a file was read.
    """
    files = _files(path, load_defaults)
    dotenv = _dotenv()
    if dotenv is None:
        if files:
            click.secho(
                f" * {files[0]} is not loaded: python-dotenv is not installed (pip install python-dotenv).",
                fg="yellow",
                err=True,
            )
        return False
    for file in files:
        dotenv.load_dotenv(file, encoding="utf-8")
    return bool(files)


def _dotenv() -> Any:
    """Return the module that reads the files; None: it is not installed."""
    try:
        return import_module("dotenv")
    except ImportError:
        return None


def _files(path: str | os.PathLike[str] | None, load_defaults: bool) -> list[str]:
    files = [] if path is None else [os.fspath(path)]
    if load_defaults:
        files += filter(None, map(_nearest, DEFAULT_FILES))
    return [file for file in files if os.path.isfile(file)]


def _nearest(name: str) -> str | None:
    """Return the path of a file in the working directory or the closest one above that has it."""
    folder = os.getcwd()
    while True:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
