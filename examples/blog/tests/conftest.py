"""An application for each test, with a database of its own in which two people have accounts."""

import flask
import pytest
from weblog import create_app
from weblog.db import get_db, init_db
from werkzeug.security import generate_password_hash


def pytest_report_header():
    return f"flask: {flask.Flask.__module__}"


@pytest.fixture
def app(tmp_path):
    app = create_app({"TESTING": True, "DATABASE": str(tmp_path / "test.sqlite")})
    # one round: a hash that is slow on purpose would be most of what the tests take
    password_hash = generate_password_hash(Visitor.password, "pbkdf2:sha256:1")
    with app.app_context():
        init_db()
        with get_db() as db:
            for name in ("ada", "brian"):
                db.execute("INSERT INTO user (name, password_hash) VALUES (?, ?)", (name, password_hash))
    return app


@pytest.fixture
def client(app):
    """A browser, as it were, that nobody has logged in with."""
    return app.test_client()


@pytest.fixture
def runner(app):
    """The application's command line."""
    return app.test_cli_runner()


@pytest.fixture
def visitor(client):
    """Somebody who has no account, and uses `client`."""
    return Visitor(client)


@pytest.fixture
def ada(app):
    return Visitor(app.test_client()).log_in("ada")


@pytest.fixture
def brian(app):
    return Visitor(app.test_client()).log_in("brian")


class Visitor:
    """Somebody with a browser; each method but `log_in` returns the page that the browser shows in the end."""

    password = "open sesame"

    def __init__(self, client):
        self.client = client

    def log_in(self, name):
        self.post("/auth/login", name=name, password=self.password)
        return self

    def register(self, name, password=password):
        return self.post("/auth/register", name=name, password=password)

    def write(self, title, body=""):
        return self.post("/write", title=title, body=body)

    def get(self, path, **query):
        return self.client.get(path, query_string=query)

    def post(self, path, **form):
        return self.client.post(path, data=form, follow_redirects=True)
