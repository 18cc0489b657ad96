"""A weblog: everybody reads it, whoever has an account writes.

It is an ordinary Flask application and knows of nothing else; README.md says how to serve it.
"""

from datetime import datetime
from pathlib import Path

from flask import Flask, render_template
from werkzeug.exceptions import HTTPException

from . import auth, blog, db


def create_app(test_config=None):
    """Return a new application.

    :param test_config: settings to use instead of the instance folder's `config.py` and the variables `WEBLOG_...`
        of the environment.
    """
    app = Flask(__name__, instance_relative_config=True)
    app.config.update(
        DATABASE=str(Path(app.instance_path, "weblog.sqlite")),
        SECRET_KEY="good enough to develop with, and known to everybody",
        SESSION_COOKIE_SAMESITE="Lax",
    )
    if test_config is not None:
        app.config.update(test_config)
    else:
        app.config.from_pyfile("config.py", silent=True)
        app.config.from_prefixed_env("WEBLOG")

    db.init_app(app)
    app.register_blueprint(auth.bp)
    app.register_blueprint(blog.bp)
    app.register_error_handler(HTTPException, show_error)
    app.add_template_filter(day)
    return app


def show_error(error):
    """Answer with a page in the weblog's own looks."""
    return render_template("error.html", error=error), error.code


def day(timestamp):
    """Turn what SQLite stores as a time into what a reader wants to know of it."""
    return f"{datetime.fromisoformat(timestamp):%d %B %Y}".lstrip("0")
