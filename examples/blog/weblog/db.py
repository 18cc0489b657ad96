"""The database: one SQLite connection a request, opened when it is first wanted."""

import sqlite3
from pathlib import Path

import click
from flask import current_app, g
from flask.cli import with_appcontext


def connect():
    """Open a connection for whoever calls this, on the calling thread; rows are read by the names of their columns."""
    connection = sqlite3.connect(current_app.config["DATABASE"])
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def get_db():
    """Return the connection of this request or command."""
    if "db" not in g:
        g.db = connect()
    return g.db


def close_db(error=None):
    """Close the connection, if there is one."""
    if "db" in g:
        g.pop("db").close()


def init_db():
    """Make the tables. Those that exist are dropped, with all that is in them."""
    Path(current_app.config["DATABASE"]).parent.mkdir(parents=True, exist_ok=True)
    with current_app.open_resource("schema.sql", "r") as schema:
        get_db().executescript(schema.read())


@click.command("init-db")
@with_appcontext
def init_db_command():
    """Begin with an empty database."""
    init_db()
    click.echo(f"Made an empty database: {current_app.config['DATABASE']}")


def init_app(app):
    """Have `app` close its connections, and give its command line `init-db`."""
    app.teardown_appcontext(close_db)
    app.cli.add_command(init_db_command)
