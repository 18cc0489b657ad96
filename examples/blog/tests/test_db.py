"""The connection of a request, and the command that makes the tables."""

import sqlite3

import pytest
from weblog.db import get_db


def test_a_context_has_one_connection_and_closes_it(app):
    with app.app_context():
        db = get_db()
        assert get_db() is db
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        db.execute("SELECT 1")


def test_init_db_begins_with_an_empty_database(app, ada, runner):
    ada.write("Soon to be gone")
    result = runner.invoke(args=["init-db"])
    assert (result.exit_code, result.output) == (0, f"Made an empty database: {app.config['DATABASE']}\n")
    with app.app_context():
        counts = get_db().execute("SELECT (SELECT count(*) FROM user), (SELECT count(*) FROM post)").fetchone()
    assert tuple(counts) == (0, 0)


def test_init_db_makes_the_folder_too(app, runner, tmp_path):
    app.config["DATABASE"] = str(tmp_path / "a/new/folder/test.sqlite")
    assert runner.invoke(args=["init-db"]).exit_code == 0
    assert (tmp_path / "a/new/folder/test.sqlite").exists()
