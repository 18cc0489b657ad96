"""flaskctx/helpers.py: the functions that views call, and the small ones of the framework."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import werkzeug.exceptions
import werkzeug.wrappers

from flaskctx import helpers
from flaskctx.app import Flask
from flaskctx.globals import session
from flaskctx.helpers import (
    abort,
    find_package,
    flash,
    get_debug_flag,
    get_flashed_messages,
    get_load_dotenv,
    get_root_path,
    get_template_attribute,
    locked_cached_property,
    make_response,
    redirect,
    safe_join,
    send_file,
    send_from_directory,
    total_seconds,
    url_for,
)
from flaskctx.signals import message_flashed

from .ids import shown


@pytest.fixture
def app(tmp_path):
    app = Flask("helpers", root_path=str(tmp_path))
    app.config["SECRET_KEY"] = "secret"
    return app


# Environment variables


@pytest.mark.parametrize(
    ("value", "debug"),
    [(None, False), ("", False), ("0", False), ("False", False), ("NO", False), ("1", True), ("on", True)],
)
def test_debug_mode_is_asked_for_by_flask_debug(monkeypatch, value, debug):
    monkeypatch.delenv("FLASK_DEBUG", raising=False)
    if value is not None:
        monkeypatch.setenv("FLASK_DEBUG", value)
    assert get_debug_flag() is debug


@pytest.mark.parametrize(
    ("value", "load"), [(None, True), ("", True), ("0", True), ("no", True), ("1", False), ("yes", False)]
)
def test_dotenv_files_are_skipped_by_flask_skip_dotenv(monkeypatch, value, load):
    monkeypatch.delenv("FLASK_SKIP_DOTENV", raising=False)
    if value is not None:
        monkeypatch.setenv("FLASK_SKIP_DOTENV", value)
    assert get_load_dotenv() is load


def test_the_default_for_dotenv_files_can_be_no(monkeypatch):
    monkeypatch.delenv("FLASK_SKIP_DOTENV", raising=False)
    assert get_load_dotenv(default=False) is False


# Responses


def test_make_response_without_arguments_is_empty(app):
    with app.test_request_context():
        response = make_response()
    assert isinstance(response, app.response_class)
    assert response.get_data() == b""


def test_make_response_takes_what_a_view_may_return(app):
    with app.test_request_context():
        assert make_response("text").get_data() == b"text"
        assert make_response("text", 201, {"X": "y"}).status_code == 201
        assert make_response("text", 201, {"X": "y"}).headers["X"] == "y"
        assert make_response({"a": 1}).mimetype == "application/json"


def test_redirect_without_an_application_is_werkzeugs():
    class Custom(werkzeug.wrappers.Response):
        pass

    response = redirect("/there", 307, Response=Custom)
    assert type(response) is Custom
    assert (response.status_code, response.location) == (307, "/there")


def test_redirect_with_an_application_is_the_applications(app):
    with app.app_context():
        response = redirect("/there", 301)
    assert type(response) is app.response_class
    assert (response.status_code, response.location) == (301, "/there")


def test_an_overridden_redirect_is_used():
    class Custom(Flask):
        def redirect(self, location, code=302):
            return (location, code)

    with Custom("helpers").app_context():
        assert redirect("/there") == ("/there", 302)


def test_abort_without_an_application_is_werkzeugs():
    with pytest.raises(werkzeug.exceptions.NotFound):
        abort(404)


def test_abort_with_an_application_uses_its_aborter(app):
    class Teapot(werkzeug.exceptions.HTTPException):
        code = 499

    app.aborter.mapping[499] = Teapot
    with pytest.raises(LookupError):
        abort(499)
    with app.app_context(), pytest.raises(Teapot, match="tea"):
        abort(499, "tea")


def test_abort_with_a_response_raises_it(app):
    response = werkzeug.wrappers.Response("stop")
    with app.app_context(), pytest.raises(werkzeug.exceptions.HTTPException) as caught:
        abort(response)
    assert caught.value.get_response() is response


def test_url_for_is_the_current_applications(app):
    class Custom(Flask):
        def url_for(self, endpoint, **values):
            return (endpoint, values)

    with Custom("helpers").app_context():
        assert url_for("x", _anchor="a", n=1) == (
            "x",
            {"_anchor": "a", "_method": None, "_scheme": None, "_external": None, "n": 1},
        )


def test_url_for_without_an_application_says_so():
    with pytest.raises(RuntimeError, match="application context"):
        url_for("x")


# Messages


def test_messages_are_taken_once_and_stay_for_the_request(app):
    with app.test_request_context():
        flash("one")
        flash("two", "error")
        assert get_flashed_messages() == ["one", "two"]
        assert get_flashed_messages() == ["one", "two"]
        assert "_flashes" not in session


def test_messages_come_with_their_categories_on_request(app):
    with app.test_request_context():
        flash("one")
        flash("two", "error")
        assert get_flashed_messages(with_categories=True) == [("message", "one"), ("error", "two")]


def test_messages_can_be_filtered_by_category(app):
    with app.test_request_context():
        flash("one")
        flash("two", "error")
        flash("three", "info")
        assert get_flashed_messages(category_filter=["info", "error"]) == ["two", "three"]
        assert get_flashed_messages(with_categories=True, category_filter=("error",)) == [("error", "two")]


def test_messages_survive_until_a_later_request_asks(app):
    app.add_url_rule("/flash", "flash", lambda: flash("kept", "info") or "")
    app.add_url_rule("/idle", "idle", lambda: "")
    app.add_url_rule("/show", "show", lambda: repr(get_flashed_messages(with_categories=True)))
    client = app.test_client()
    client.get("/flash")
    client.get("/idle")
    assert client.get("/show").text == "[('info', 'kept')]"
    assert client.get("/show").text == "[]"


def test_asking_without_messages_does_not_change_the_session(app):
    with app.test_request_context():
        assert get_flashed_messages() == []
        assert not session.modified


def test_a_second_message_changes_the_session(app):
    with app.test_request_context():
        flash("one")
        session.modified = False
        flash("two")
        assert session.modified


def test_a_flashed_message_is_announced(app):
    seen = []

    def receive(sender, message, category):
        seen.append((sender, message, category))

    with message_flashed.connected_to(receive), app.test_request_context():
        flash("hello", "info")
    assert seen == [(app, "hello", "info")]


def test_an_async_receiver_hears_of_a_flashed_message(app):
    seen = []

    async def receive(sender, message, category):
        seen.append(message)

    with message_flashed.connected_to(receive), app.test_request_context():
        flash("hello")
    assert seen == ["hello"]


def test_a_macro_of_a_template_can_be_called(app, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "macros.html").write_text("{% macro hello(name) %}Hi {{ name }}!{% endmacro %}")
    with app.app_context():
        assert get_template_attribute("macros.html", "hello")("<you>") == "Hi &lt;you&gt;!"
        with pytest.raises(AttributeError):
            get_template_attribute("macros.html", "bye")


# Files


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "page.txt"
    file.write_bytes(b"0123456789")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    return file


def body(response):
    response.direct_passthrough = False
    with response:
        return response.get_data()


def test_a_relative_path_starts_at_the_root_path(app, file):
    with app.test_request_context():
        assert body(send_file("page.txt")) == b"0123456789"


def test_a_file_object_in_binary_mode_is_sent_from_its_position(app):
    with app.test_request_context():
        assert body(send_file(io.BytesIO(b"abc"), mimetype="text/plain")) == b"abc"


def test_a_file_in_text_mode_is_refused(app, file):
    with app.test_request_context(), open(file) as text:
        with pytest.raises(ValueError, match="mode 'rb'"):
            send_file(text, mimetype="text/plain")
        with pytest.raises(ValueError, match="BytesIO"):
            send_file(io.StringIO("abc"), mimetype="text/plain")


def test_the_age_comes_from_the_application(app, file):
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    with app.test_request_context():
        with send_file(file) as response:
            assert response.cache_control.max_age == 3600
        with send_file(file, max_age=10) as response:
            assert response.cache_control.max_age == 10
        with send_file(file, max_age=len) as response:
            assert response.cache_control.max_age == len(str(file))


def test_an_overridden_age_is_asked_with_the_name(file):
    class Custom(Flask):
        def get_send_file_max_age(self, filename):
            return len(os.path.basename(filename))

    with Custom("helpers").test_request_context(), send_file(file) as response:
        assert response.cache_control.max_age == len("page.txt")


def test_the_server_sends_the_file_itself_with_use_x_sendfile(app, file):
    app.config["USE_X_SENDFILE"] = True
    with app.test_request_context(), send_file(file) as response:
        assert response.headers["X-Sendfile"] == str(file)


def test_a_file_is_sent_in_the_applications_response_class(app, file):
    class Custom(app.response_class):
        pass

    app.response_class = Custom
    with app.test_request_context(), send_file(file) as response:
        assert type(response) is Custom


def test_a_file_in_a_directory_is_sent(app, file):
    with app.test_request_context():
        assert body(send_from_directory(".", "page.txt")) == b"0123456789"


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/passwd", "missing.txt", ".", "a/../../x"])
def test_what_is_not_a_file_in_the_directory_is_a_404(app, file, path):
    with app.test_request_context(), pytest.raises(werkzeug.exceptions.NotFound):
        send_from_directory(app.root_path, path)


SEND_FILE_OPTIONS = [
    {},
    {"mimetype": "text/csv"},
    {"as_attachment": True},
    {"download_name": "ü.pdf", "as_attachment": True},
    {"conditional": False},
    {"etag": False},
    {"etag": "fixed"},
    {"last_modified": 1_200_000_000},
    {"last_modified": datetime(2020, 1, 1, tzinfo=UTC)},
    {"max_age": 60},
    {"max_age": lambda name: 61},
]
REQUEST_HEADERS = [{}, {"Range": "bytes=2-4"}, {"If-Modified-Since": "Sun, 09 Sep 2035 01:46:40 GMT"}]


@pytest.mark.parametrize("headers", REQUEST_HEADERS)
@pytest.mark.parametrize("options", SEND_FILE_OPTIONS, ids=shown)
@pytest.mark.parametrize("in_memory", [False, True])
def test_files_are_sent_with_the_headers_that_flask_sends(app, file, headers, options, in_memory):
    flask = pytest.importorskip("flask")

    def answer(app, send_file):
        options_here = {"download_name": "page.txt", **options} if in_memory else options
        with app.test_request_context(headers=headers):
            response = send_file(io.BytesIO(b"0123456789") if in_memory else file, **options_here)
            headers_sent = [(k, v) for k, v in response.headers if k != "Date"]
            return response.status_code, headers_sent, body(response)

    theirs = flask.Flask("helpers", root_path=app.root_path)
    assert answer(app, send_file) == answer(theirs, flask.send_file)


def test_safe_join_stays_in_the_directory():
    assert safe_join("/base", "a", "b.txt") == "/base/a/b.txt"
    for path in ["../x", "/etc", "a/../../x"]:
        with pytest.raises(werkzeug.exceptions.NotFound):
            safe_join("/base", path)


# Where modules are


def test_the_root_path_of_a_package_is_its_directory():
    assert get_root_path("flaskctx") == os.path.dirname(helpers.__file__)
    assert get_root_path("flaskctx.helpers") == os.path.dirname(helpers.__file__)


def test_the_root_path_of_a_module_that_is_not_imported_is_found(tmp_path, monkeypatch):
    (tmp_path / "never_imported.py").write_text("raise Exception('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert get_root_path("never_imported") == str(tmp_path)


def test_the_root_path_of_an_unknown_module_is_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert get_root_path("no_such_module") == str(tmp_path)
    assert get_root_path("no_such_package.module") == str(tmp_path)


def test_the_root_path_in_a_shell_is_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    assert get_root_path("__main__") == str(tmp_path)


def test_a_namespace_package_has_no_root_path(tmp_path, monkeypatch):
    (tmp_path / "spread").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="Pass root_path explicitly"):
        get_root_path("spread")


def test_a_built_in_module_has_no_root_path():
    with pytest.raises(RuntimeError, match="'sys'"):
        get_root_path("sys")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install `shop` (package), `shop_module` (module) and `spread.shop` (in a namespace) in a directory."""

    def install(*folders):
        directory = tmp_path.joinpath(*folders)
        for package in ("shop", "spread/shop_inside"):
            (directory / package).mkdir(parents=True)
            (directory / package / "__init__.py").touch()
        (directory / "shop_module.py").touch()
        monkeypatch.syspath_prepend(directory)
        return directory

    return install


PACKAGES = ["shop", "shop.views", "shop_module", "spread.shop_inside", "spread.shop_inside.views", "spread"]
LAYOUTS = {
    "working copy": ((), None),
    "unix": (("lib", "python3.11", "site-packages"), ()),
    "windows": (("Lib", "site-packages"), ()),
    "flat": (("x", "site-packages"), ("x",)),
}


@pytest.mark.parametrize("name", PACKAGES)
@pytest.mark.parametrize(("folders", "prefix"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_package_is_found_with_the_prefix_it_is_installed_under(install, tmp_path, name, folders, prefix):
    directory = install(*folders)
    expected = None if prefix is None else str(tmp_path.joinpath(*prefix))
    assert find_package(name) == (expected, str(directory))


def test_a_package_in_the_interpreters_prefix_is_found_under_it(install, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    directory = install("anywhere")
    assert find_package("shop") == (str(tmp_path), str(directory))


@pytest.mark.parametrize("name", ["__main__", "no_such_module", "no_such_package.module"])
def test_what_cannot_be_found_is_taken_to_be_in_the_working_directory(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    assert find_package(name) == (None, str(tmp_path))


# without spread.shop_inside, where Flask raises StopIteration
@pytest.mark.parametrize("name", [*PACKAGES[:3], "spread", "flask", "email.mime", "pytest", "jinja2.ext"])
@pytest.mark.parametrize(("folders", "prefix"), LAYOUTS.values(), ids=LAYOUTS)
def test_packages_are_found_where_flask_finds_them(install, name, folders, prefix):
    scaffold = pytest.importorskip("flask.sansio.scaffold")
    install(*folders)
    assert find_package(name) == scaffold.find_package(name)


# For the framework


def test_a_nested_blueprints_name_is_split_innermost_first():
    assert helpers._split_blueprint_path("a") == ["a"]
    assert helpers._split_blueprint_path("a.b.c") == ["a.b.c", "a.b", "a"]


def test_the_endpoint_of_a_view_is_its_name():
    def index(): ...

    assert helpers._endpoint_from_view_func(index) == "index"


def test_a_view_without_a_name_needs_an_endpoint():
    with pytest.raises(AttributeError, match="Pass endpoint"):
        helpers._endpoint_from_view_func(partial(print))
    with pytest.raises(AssertionError, match="pass either"):
        helpers._endpoint_from_view_func(None)


# Kept from the classic API


class Slow:
    def __init__(self):
        self.computed = 0

    @locked_cached_property
    def value(self):
        """The value."""
        time.sleep(0.02)
        self.computed += 1
        return object()


def test_a_locked_cached_property_is_computed_once_for_all_threads():
    slow = Slow()
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(slow.value)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slow.computed == 1
    assert seen == [slow.value] * 4


def test_a_locked_cached_property_can_be_deleted_and_set():
    slow = Slow()
    first = slow.value
    del slow.value
    assert slow.value is not first
    slow.value = 3
    assert slow.value == 3


def test_a_locked_cached_property_on_the_class_is_itself():
    assert isinstance(Slow.value, locked_cached_property)
    assert (Slow.value.__name__, Slow.value.__doc__) == ("value", "The value.")


def test_total_seconds_are_whole():
    assert total_seconds(timedelta(days=2, seconds=3, microseconds=999)) == 2 * 86400 + 3
    assert total_seconds(timedelta(seconds=-1)) == -1


def test_a_temporary_file_in_binary_mode_is_sent(app):
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(b"abc")
    file.seek(0)
    with app.test_request_context():
        assert body(send_file(file, mimetype="text/plain")) == b"abc"
