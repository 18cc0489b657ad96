"""examples/blog: an application written for Flask, with Flask and, unchanged, with flaskctx in its place."""

import os
import subprocess
import sys
from urllib.parse import urlencode

import pytest

from ..servers.kinds import GUNICORN, HYPERCORN, UVICORN, Kind
from ..servers.serving import ROOT, at_once

BLOG = ROOT / "examples/blog"

AS_FLASK = ["-m", "flaskctx.compat"]


def run(*arguments):
    """Run Python in the example's folder, and pytest without plugins; return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=BLOG,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("stand_in", "module"), [([], "flask.app"), (AS_FLASK, "flaskctx.app")], ids=["flask", "flaskctx"]
)
def test_its_own_tests_pass(stand_in, module):
    output = run(*stand_in, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider")
    assert f"\nflask: {module}\n" in output
    assert " passed" in output


def test_it_never_names_flaskctx():
    files = [path for folder in ("weblog", "tests") for path in (BLOG / folder).rglob("*.*") if path.suffix != ".pyc"]
    assert len(files) > 15
    assert [path for path in files if "flaskctx" in path.read_text()] == []


# -- served --------------------------------------------------------------------------------------------------------


def served(name, command, protocol, at_once, loop="asyncio"):
    """The kind of a server that makes the application itself, by calling the factory."""
    return Kind(name, "flaskctx.compat -m " + command, protocol, at_once, loop)


@pytest.fixture(
    params=[
        served("gunicorn-sync", GUNICORN.replace(":app", ":create_app()"), "wsgi", 1),
        served("gunicorn-gthread", GUNICORN.replace(":app", ":create_app()") + "-k gthread --threads 2", "wsgi", 2),
        served("uvicorn", UVICORN.replace(":app.asgi", ":create_app --factory"), "asgi", 64),
        # without worker processes, which would be new interpreters: they need flaskctx to be installed
        served("hypercorn-trio", HYPERCORN.replace(":app", ":create_app()") + "-k trio -w 0", "asgi", 64, "trio"),
    ],
    ids=lambda kind: kind.name,
)
def kind(request):
    return request.param


@pytest.fixture
def weblog(serve, tmp_path, monkeypatch):
    """The weblog on a real server, with an empty database."""
    monkeypatch.setenv("WEBLOG_DATABASE", str(tmp_path / "weblog.sqlite"))
    monkeypatch.setenv("WEBLOG_SECRET_KEY", "that of a test")
    assert str(tmp_path) in run(*AS_FLASK, "-m", "flask", "--app", "weblog", "init-db")
    return serve("weblog", home=BLOG)


class Reader:
    """Somebody who looks at the weblog in a browser."""

    def __init__(self, browser, weblog):
        self.browser = browser
        self._site = f"http://127.0.0.1:{weblog.port}"

    def open(self, path):
        self.browser.open(self._site + path)

    def follow(self, selector):
        self.browser.follow(selector)

    def send(self, **fields):
        """Fill in these fields of the page's form and send it."""
        for name, text in fields.items():
            self.browser.fill_in(f"main [name={name}]", text)
        self.follow("main form button")

    def search(self, words):
        self.browser.fill_in("[name=q]", words)
        self.follow(".search button")

    def status_of_post(self, path):
        """Return what a form of another page would get."""
        return self.browser.evaluate(f"fetch('{path}', {{ method: 'POST' }}).then(answer => answer.status)")

    def shows(self, selector):
        return self.browser.evaluate(f"document.querySelector('{selector}') !== null")

    @property
    def page(self):
        return self.browser.text("main")

    @property
    def heading(self):
        return self.browser.text("h1")

    @property
    def flash(self):
        """The messages that are flashed, and there must be some."""
        return self.browser.text(".flash")

    @property
    def user(self):
        return self.browser.text("#user")

    @property
    def titles(self):
        """The titles of the posts in a list."""
        return self.browser.evaluate("Array.from(document.querySelectorAll('h2'), title => title.innerText)")


def test_in_a_browser(weblog, browser):
    reader = Reader(browser, weblog)
    reader.open("/")
    assert "Nothing is written here yet." in reader.page

    reader.follow("#register")
    reader.send(name="ada", password="short")
    assert reader.flash == "A password needs eight characters at least."
    reader.send(name="ada", password="open sesame")
    assert (reader.flash, reader.heading) == ("Welcome, ada. Now you can log in.", "Log in")
    reader.send(name="ada", password="close sesame")
    assert reader.flash == "That name and that password don't belong together."
    reader.send(name="ada", password="open sesame")
    assert (reader.flash, reader.user) == ("Hello, ada.", "ada")

    reader.follow("#write")
    reader.send(title=" ", body="Is it alive?")
    assert reader.flash == "A post needs a title."
    reader.send(title="A first post: größer als <b>", body="Is it alive?")
    assert (reader.flash, reader.heading) == ("Your post is published.", "A first post: größer als <b>")
    reader.follow(".edit")
    reader.send(body="It is alive.\n\nOn two lines, even.")
    assert reader.flash == "Your changes are saved."
    assert "It is alive.\n\nOn two lines, even." in reader.page
    reader.follow("#write")
    reader.send(title="Not for long")
    reader.follow(".home")
    assert reader.titles == ["Not for long", "A first post: größer als <b>"]

    reader.search("alive two")
    assert (reader.heading, reader.titles) == ("1 found", ["A first post: größer als <b>"])
    assert reader.user == "ada"

    reader.follow("#logout")
    assert reader.flash == "You are logged out."
    reader.open("/write")
    assert (reader.flash, reader.heading) == ("Log in first, please.", "Log in")

    reader.follow("#register")
    reader.send(name="ADA", password="open sesame")
    assert reader.flash == "Somebody else is called ADA already."
    reader.send(name="brian", password="open sesame")
    reader.send(name="brian", password="open sesame")
    assert reader.flash == "Hello, brian."
    assert not reader.shows(".edit")
    reader.open("/1/edit")
    assert reader.heading == "Forbidden"
    assert "Only ada may change this post." in reader.page
    assert reader.status_of_post("/1/delete") == 403
    reader.follow("#logout")

    reader.follow("#login")
    reader.send(name="ada", password="open sesame")
    reader.open("/2/edit")
    reader.browser.click("summary")
    reader.follow("#delete")
    assert reader.flash == "Not for long is deleted."
    assert reader.titles == ["A first post: größer als <b>"]
    reader.open("/2")
    assert "There is no post number 2." in reader.page
    reader.follow("#logout")
    assert reader.shows("#login")
    assert [complaint for complaint in browser.complaints if "a status of 4" not in complaint["text"]] == []


def test_requests_of_all_kinds_at_once_have_a_connection_each(weblog):
    form = {"name": "ada", "password": "open sesame"}
    assert post(weblog, "/auth/register", form).status == 302
    session = post(weblog, "/auth/login", form).headers["Set-Cookie"].partition(";")[0]

    def visit(number):
        if number % 4 == 0:
            written = {"title": f"Post {number}", "body": "in a hurry"}
            return post(weblog, "/write", written, {"Cookie": session}).status
        path = ["/", "/search?q=hurry", "/9999"][number % 4 - 1]
        answer = weblog.get(path, {"Cookie": session})
        assert ">ada<" in answer.text
        return answer.status

    assert at_once(visit, range(40)) == [302, 200, 200, 404] * 10
    assert "10 found" in weblog.get("/search?q=hurry").text


def post(server, path, form, headers=None):
    """Send a form, in one piece."""
    form_headers = {"Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
    return server.post(path, urlencode(form), form_headers)
