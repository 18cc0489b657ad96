"""Finding the application that a module, a name or a call stands for."""

from __future__ import annotations

import sys

import pytest

from flaskctx.app import Flask
from flaskctx.cli import NoAppException, ScriptInfo
from flaskctx.cli.app_loading import parse_reference, prepare_import, split_import_path


@pytest.fixture
def modules(write):
    app = "from flaskctx.app import Flask\n"
    write("pkg/sub/web.py", app + "app = Flask('web')\n")
    write("one.py", app + "other = alias = Flask('other')\n")
    write("two.py", app + "a = Flask('a')\nb = Flask('b')\n")
    write("preferred.py", app + "first = Flask('first')\napplication = Flask('application')\n")
    write(
        "factory.py",
        app
        + """
def create_app(x="d", *, y=1):
    return Flask(f"{x}-{y}")

def needs(x):
    return Flask(x)

def nothing():
    return None

def fails():
    raise TypeError("from inside")

async def later():
    return Flask("later")

class Maker:
    def __call__(self):
        return Flask("made")

maker = Maker()
number = 3
""",
    )
    write("of_flask.py", "from flask import Flask\napp = Flask('app')\n")
    write("needing.py", app + "def make_app(x):\n    return Flask(x)\n")
    write("empty.py", "")
    write("forgetful.py", app + "def create_app():\n    app = Flask('forgotten')\n")
    write("second.py", app + "def create_app(): ...\ndef make_app():\n    return Flask('second')\n")
    write("bad_import.py", "import a_module_that_does_not_exist\n")
    write("bad_syntax.py", "x = (\n")
    write("failing.py", "raise RuntimeError('at import')\n")
    return write


def load(path):
    return ScriptInfo(app_import_path=path).load_app().name


class TestFound:
    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("pkg.sub.web", "web"),
            ("pkg.sub.web:app", "web"),
            ("pkg/sub/web", "web"),
            ("pkg/sub/web.py", "web"),
            ("pkg/sub/web.py:app", "web"),
            ("one", "other"),
            ("two:b", "b"),
            ("preferred", "application"),
            ("second", "second"),
            ("preferred:first", "first"),
            ("factory", "d-1"),
            ("factory:create_app", "d-1"),
            ("factory:create_app()", "d-1"),
            ("factory:create_app('q', y=2)", "q-2"),
            ("factory: create_app( y = [2] ) ", "d-[2]"),
            ("factory:needs('n')", "n"),
            ("factory:maker()", "made"),
        ],
    )
    def test_an_import_path_gives_an_application(self, modules, path, name):
        assert load(path) == name

    def test_a_file_may_be_given_by_its_absolute_path(self, modules, folder):
        assert load(str(folder / "pkg" / "sub" / "web.py")) == "web"
        assert "pkg.sub.web" in sys.modules

    @pytest.mark.parametrize("name", ["wsgi.py", "app.py"])
    def test_without_a_path_wsgi_and_app_are_tried(self, write, name):
        write(name, f"from flaskctx.app import Flask\napp = Flask({name!r})\n")
        assert load(None) == name

    def test_wsgi_goes_before_app(self, write):
        for name in ("app.py", "wsgi.py"):
            write(name, f"from flaskctx.app import Flask\napp = Flask({name!r})\n")
        assert load(None) == "wsgi.py"


class TestNotFound:
    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("nowhere", "no module 'nowhere' to import"),
            ("pkg.nowhere", r"no module 'pkg\.nowhere' to import"),
            ("empty", "neither an application nor a factory named create_app or make_app"),
            ("pkg", "use 'pkg:NAME'"),
            ("two", "several applications.*two:a or two:b"),
            ("two:c", "module 'two' has no 'c'"),
            ("needing", "'make_app' in module 'needing' can't be called like that: missing.*'x'"),
            ("factory:needs", "'needs' in module 'factory' can't be called like that"),
            ("factory:needs(1, 2)", "too many positional arguments"),
            ("factory:number()", "'number' in module 'factory' can't be called"),
            ("factory:number", "is 3, which is not a flaskctx application"),
            ("factory:nothing", "is None, which is not a flaskctx application"),
            ("forgetful", "The factory forgetful:create_app returned None, .* Let it return one"),
            ("factory:create_app(y)", "only literals"),
            ("factory:create_app(*[1])", "only literals"),
            ("factory:create_app(**{'y': 1})", "only literals"),
            ("factory:create_app(", "not understood"),
            ("factory:a.b", "not understood"),
            ("factory:app.asgi", "not understood.*'app.asgi' is for servers only"),
            ("factory:1 + 1", "not understood"),
            ("factory:", "not understood"),
            ("factory:later", "factory 'later' in module 'factory' is async def. Applications are made before"),
            ("of_flask", "neither an application.*one of Flask's own: import Flask from flaskctx"),
            ("of_flask:app", "<Flask 'app'>, which is not a flaskctx application.*one of Flask's own"),
            ("bad_import", "imports something that can't be imported(.|\n)*a_module_that_does_not_exist"),
            (None, "Which application.*--app module:name.*FLASK_APP"),
        ],
    )
    def test_the_message_says_what_is_wrong(self, modules, path, message):
        with pytest.raises(NoAppException, match=message):
            load(path)

    @pytest.mark.parametrize(
        ("path", "error"),
        [("bad_syntax", SyntaxError), ("failing", RuntimeError), ("factory:fails", TypeError)],
    )
    def test_errors_of_the_users_code_are_left_as_they_are(self, modules, path, error):
        with pytest.raises(error):
            load(path)

    def test_where_flask_is_missing_it_says_what_can_stand_in(self, modules, monkeypatch):
        monkeypatch.setitem(sys.modules, "flask", None)
        with pytest.raises(NoAppException, match=r"Flask itself isn't installed.*FLASKCTX_AS_FLASK=1"):
            load("of_flask")

    def test_the_traceback_of_an_import_begins_with_the_users_code(self, modules):
        with pytest.raises(NoAppException) as caught:
            load("bad_import")
        assert "importlib" not in caught.value.message

    def test_a_default_file_that_fails_is_not_passed_over(self, write):
        write("wsgi.py", "import a_module_that_does_not_exist\n")
        write("app.py", "from flaskctx.app import Flask\napp = Flask('app')\n")
        with pytest.raises(NoAppException, match="module 'wsgi' was found"):
            load(None)


class TestScriptInfo:
    def test_the_application_is_loaded_once(self, modules):
        info = ScriptInfo("factory")
        assert info.load_app() is info.load_app()

    def test_a_function_may_make_the_application(self, modules):
        app = Flask(__name__)
        assert ScriptInfo(create_app=lambda: app).load_app() is app

    def test_a_function_that_forgets_to_return_it_is_named(self):
        def build(): ...

        with pytest.raises(NoAppException, match=r"build returned None, .* Let it return one"):
            ScriptInfo(create_app=build).load_app()

    @pytest.mark.parametrize(("flag", "debug"), [("1", True), ("0", False)])
    def test_debug_follows_the_environment(self, modules, monkeypatch, flag, debug):
        monkeypatch.setenv("FLASK_DEBUG", flag)
        assert ScriptInfo("one").load_app().debug is debug

    def test_debug_can_be_left_alone(self, modules, monkeypatch):
        app = ScriptInfo("one", set_debug_flag=False).load_app()
        app.debug = True
        assert ScriptInfo(create_app=lambda: app, set_debug_flag=False).load_app().debug


class TestPaths:
    def test_the_folder_of_the_outermost_package_is_importable(self, modules, folder):
        assert prepare_import("pkg/sub/web.py") == "pkg.sub.web"
        assert sys.path[0] == str(folder)

    def test_a_package_may_be_given_by_its_init_file(self, modules):
        assert prepare_import("pkg/sub/__init__.py") == "pkg.sub"

    def test_a_path_is_put_on_the_import_path_once(self, modules, folder):
        prepare_import("one")
        prepare_import("two")
        assert sys.path.count(str(folder)) == 1

    @pytest.mark.parametrize(
        ("path", "expected"),
        [("m", ("m", None)), ("m:app", ("m", "app")), ("m:f(':')", ("m", "f(':')")), ("m:", ("m", ""))],
    )
    def test_an_import_path_is_split_at_its_first_colon(self, path, expected):
        assert split_import_path(path) == expected


def test_a_reference_is_a_name_or_a_call_with_literals():
    assert parse_reference("name") == ("name", (), {}, False)
    assert parse_reference("f(1, a=None, b={'x': [True]})") == (
        "f",
        (1,),
        {"a": None, "b": {"x": [True]}},
        True,
    )
