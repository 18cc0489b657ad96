"""`install_as_flask()`: `flask` and `flask.x` are names of flaskctx's modules."""

from __future__ import annotations

import pytest


def test_flask_is_flaskctx(as_flask):
    as_flask(
        """
        import flask
        import flask.sessions
        from flask.json.provider import DefaultJSONProvider

        assert flask is flaskctx
        assert flask.sessions is flaskctx.sessions
        assert DefaultJSONProvider is flaskctx.json.provider.DefaultJSONProvider
        """
    )


def test_a_submodule_may_be_imported_first(as_flask):
    as_flask("from flask.json.tag import TaggedJSONSerializer; import flask; assert flask is flaskctx")


def test_it_covers_modules_imported_before_it(python, write):
    python(
        write(
            "program.py",
            """
            import flaskctx.views
            flaskctx.install_as_flask()
            from flask.views import View
            assert View is flaskctx.views.View
            """,
        )
    )


def test_modules_keep_their_own_name_spec_and_loader(as_flask):
    as_flask(
        """
        import sys
        before = vars(flaskctx.views).copy() if hasattr(flaskctx, "views") else None
        import flask.views

        for name, module in sys.modules.items():
            if name == "flask" or name.startswith("flask."):
                assert module.__name__ == module.__spec__.name == "flaskctx" + name.removeprefix("flask"), name
                assert module.__loader__ is module.__spec__.loader, name
                assert module.__package__ == module.__spec__.parent, name
                assert not module.__spec__._initializing, name
        """
    )


def test_what_goes_by_module_names_works(as_flask):
    as_flask(
        """
        import importlib, importlib.resources, importlib.util, inspect, pickle, pkgutil
        import flask.signals, flask.views

        assert importlib.reload(flask.signals) is flaskctx.signals
        assert inspect.getmodule(flask.Flask) is flask.app
        assert "class Flask" in inspect.getsource(flask.Flask)
        assert pickle.loads(pickle.dumps(flask.views.View)) is flask.views.View
        assert pickle.loads(b"cflask.views\\nView\\n.") is flask.views.View
        assert importlib.resources.files("flask").joinpath("py.typed").is_file()
        assert importlib.util.find_spec("flask.testing").origin == flaskctx.testing.__file__
        assert "views" in [module.name for module in pkgutil.iter_modules(flask.__path__)]
        """
    )


def test_a_spec_can_be_asked_for_before_the_import(as_flask):
    as_flask(
        """
        import importlib.util, sys
        spec = importlib.util.find_spec("flask")
        assert "flask" not in sys.modules
        assert spec.name == "flask" and spec.origin == flaskctx.__file__
        assert list(spec.submodule_search_locations) == list(flaskctx.__path__)
        """
    )


def test_it_imports_the_modules_that_importing_flask_imports(as_flask, python):
    listed = 'import flask, sys; print(sorted(name for name in sys.modules if name.startswith("flask.")))'
    assert as_flask(listed) == python("-c", listed)


def test_calling_it_again_changes_nothing(as_flask):
    as_flask(
        """
        import sys, flask.views
        flaskctx.install_as_flask()
        assert [type(finder).__name__ for finder in sys.meta_path].count("AliasFinder") == 1
        import flask.config
        assert flask.config is flaskctx.config
        """
    )


@pytest.mark.parametrize("name", ["flask.ext", "flask.ext.login", "flask.no_such_module"])
def test_a_module_that_is_not_there_is_missed_under_its_own_name(as_flask, name):
    missing = "flask.ext" if name.startswith("flask.ext") else name
    as_flask(
        f"""
        try:
            import {name}
        except ModuleNotFoundError as error:
            assert error.name == {missing!r}, error.name
            assert str(error) == "No module named '{missing}'"
        else:
            raise AssertionError
        """
    )


def test_other_modules_are_not_touched(as_flask):
    as_flask(
        """
        import importlib.util
        assert importlib.util.find_spec("flaskish") is None
        assert importlib.util.find_spec("flask_no_such_extension") is None
        """
    )


def test_flask_imported_already_is_an_error_that_says_what_to_do(python, write):
    output = python(
        write("program.py", "import flask, flaskctx\nflaskctx.install_as_flask()"),
        status=1,
    )
    assert "Flask itself is imported already" in output
    assert "before the first `import flask`" in output
    assert "FLASKCTX_AS_FLASK=1" in output


def test_threads_may_import_at_once(as_flask):
    as_flask(
        """
        import importlib, threading
        names = ["flask", "flask.app", "flask.views", "flask.json.tag", "flask.sansio.app", "flask.testing"] * 4
        found, barrier = [], threading.Barrier(len(names))

        def import_it(name):
            barrier.wait()
            found.append(importlib.import_module(name).__name__ == name.replace("flask", "flaskctx", 1))

        threads = [threading.Thread(target=import_it, args=(name,)) for name in names]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert found == [True] * len(names)
        """
    )


def test_import_hooks_get_the_names_they_wait_for(as_flask):
    """As tracing tools do it: a finder wraps the loader, and patches the module after `exec_module`."""
    as_flask(
        """
        import importlib.util, sys

        class Hook:
            busy = False

            def find_spec(self, name, path=None, target=None):
                if self.busy or name not in ("flask.app", "flask.templating"):
                    return None
                self.busy = True
                try:
                    spec = importlib.util.find_spec(name)
                finally:
                    self.busy = False
                spec.loader = Patching(spec.loader)
                return spec

        class Patching:
            def __init__(self, loader):
                self.create_module, self.loader = loader.create_module, loader

            def exec_module(self, module):
                self.loader.exec_module(module)
                if module.__name__ == "flask.app":
                    module.Flask.traced = True
                else:
                    assert module.render_template_string
                    module.render_template_string = "patched"

        sys.meta_path.insert(0, Hook())
        import flask
        assert flask.Flask.traced
        assert flaskctx.templating.render_template_string == "patched"
        assert sys.modules["flask.app"] is flaskctx.app
        """
    )


def test_an_application_and_an_extension_work(as_flask):
    as_flask(
        """
        import flask

        class Extension:
            def init_app(self, app):
                app.extensions["it"] = self
                app.after_request(self.after)

            def after(self, response):
                response.headers["X-App"] = flask.current_app.name
                return response

        app = flask.Flask("hello")
        Extension().init_app(app)

        @app.get("/")
        async def hello():
            return flask.jsonify(path=flask.request.path)

        response = app.test_client().get("/")
        assert (response.json, response.headers["X-App"]) == ({"path": "/"}, "hello")
        """
    )
