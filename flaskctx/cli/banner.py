"""What the development server says when it starts."""

from __future__ import annotations

import click
from werkzeug.serving import is_running_from_reloader


def show_server_banner(debug: bool, app_import_path: str | None) -> None:
    """Say which application is served, and whether debug mode is on; once, not at each reload.

    :param app_import_path: what the application is called by; None: it is not known.
    """
    if is_running_from_reloader():
        return
    if app_import_path is not None:
        click.echo(f" * Serving {app_import_path}")
    click.echo(f" * Debug mode: {'on' if debug else 'off'}")
