"""Where an application's own name and instance folder come from."""

from __future__ import annotations

import os
import sys

from .helpers import find_package


def app_name(import_name: str) -> str:
    """Return the import name; for the main module the name of the program's file."""
    if import_name == "__main__":
        path: str | None = getattr(sys.modules["__main__"], "__file__", None)
        if path is not None:
            return os.path.splitext(os.path.basename(path))[0]
    return import_name


def find_instance_path(import_name: str, name: str) -> str:
    """Return `instance` beside an uninstalled package, `var/NAME-instance` below an installed one's prefix."""
    prefix, package_path = find_package(import_name)
    if prefix is None:
        return os.path.join(package_path, "instance")
    return os.path.join(prefix, "var", f"{name}-instance")
