"""pytest_flaskctx.py: the fixtures in other people's test runs, each a run of its own in this process."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = "pytester"

REPOSITORY = Path(__file__).parents[2]

WEB = """
from flaskctx import Flask, session
import click

def create_app():
    app = Flask("web")
    app.secret_key = "tests"

    @app.get("/")
    def index():
        session["count"] = session.get("count", 0) + 1
        return f"hello {session['count']}"

    @app.cli.command()
    def greet():
        click.echo("greetings")

    return app

app = create_app()
nothing = 1
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run a test file in a run of its own; `ini` is its configuration, the other arguments are files beside it."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))

    def run(test, *args, ini="flaskctx_app = web:create_app", in_process=True, **files):
        pytester.makepyfile(web=WEB, test_it=test, **files)
        if "-pno:asyncio" not in args and "fixture_loop_scope" not in ini:
            ini += "\nasyncio_default_fixture_loop_scope = function"
        pytester.makeini("\n".join(["[pytest]", "pythonpath = .", "filterwarnings = error", ini]))
        plugins = ["pytest_flaskctx", "no:cacheprovider", "no:hypothesispytest"]
        run_pytest = pytester.runpytest_inprocess if in_process else pytester.runpytest_subprocess
        return run_pytest(*(f"-p{name}" for name in plugins), *args)

    return run


def outcomes(result):
    return {name: count for name, count in result.parseoutcomes().items() if name != "warnings"}


class TestApp:
    @pytest.mark.parametrize("path", ["web:app", "web:create_app", "web"])
    def test_is_what_the_ini_option_names_with_testing_set(self, run, path):
        test = """
            def test_it(app):
                assert (app.name, app.testing) == ("web", True)

            def test_is_put_back(app):
                import web
                assert app.testing
                assert not web.create_app().testing
        """
        assert outcomes(run(test, ini=f"flaskctx_app = {path}")) == {"passed": 2}

    def test_is_made_anew_for_each_test_by_a_factory(self, run):
        test = """
            seen = []

            def test_one(app):
                seen.append(app)

            def test_two(app):
                assert app not in seen
        """
        assert outcomes(run(test)) == {"passed": 2}

    def test_is_the_users_where_there_is_one(self, run):
        conftest = """
            import pytest
            from flaskctx import Flask

            @pytest.fixture
            def app():
                app = Flask("mine")
                app.get("/")(lambda: "mine")
                return app
        """
        test = """
            def test_it(client):
                assert client.get("/").text == "mine"
        """
        assert outcomes(run(test, ini="", conftest=conftest)) == {"passed": 1}

    @pytest.mark.parametrize(
        ("ini", "message"),
        [
            ("", 'There is no application to test. Define a fixture "app" in conftest.py*flaskctx_app = "module:app"*'),
            ("flaskctx_app = wep:app", "*can't be loaded: No module named 'wep'*pythonpath*"),
            ("flaskctx_app = web:ap", "*can't be loaded: module 'web' has no attribute 'ap'*"),
            ("flaskctx_app = web:nothing", '*flaskctx_app = "web:nothing" is 1: neither an application nor a factory*'),
        ],
    )
    def test_says_what_to_do_where_there_is_none(self, run, ini, message):
        result = run("def test_it(client): pass", ini=ini)
        assert outcomes(result) == {"errors": 1}
        result.stdout.fnmatch_lines(message)


def test_client_and_runner(run):
    test = """
        def test_client(client):
            assert client.get("/").text == "hello 1"

        def test_runner(runner):
            assert runner.invoke(args="greet").output == "greetings\\n"
    """
    assert outcomes(run(test)) == {"passed": 2}


def test_both(run):
    test = """
        from flaskctx import request

        def test_alike(both):
            assert both.get("/").text == "hello 1"
            assert both.get("/").text == "hello 2"

        def test_different(app, both):
            app.get("/other", endpoint="other")(lambda: str("asgi.scope" in request.environ))
            both.get("/other")
    """
    result = run(test)
    assert outcomes(result) == {"passed": 1, "failed": 1}
    result.stdout.fnmatch_lines(["*AssertionError: WSGI (-) and ASGI (+) answer GET /other differently:", "*-'False'"])


STARTED = """
    import pytest

    @pytest.fixture
    def events(app, monkeypatch):
        events = []
        serve = type(app.asgi).__call__

        async def noting(self, scope, receive, send):
            async def noting_receive():
                message = await receive()
                events.append(message["type"])
                return message

            await serve(self, scope, noting_receive if scope["type"] == "lifespan" else receive, send)

        monkeypatch.setattr(type(app.asgi), "__call__", noting)
        yield events
        assert events == ["lifespan.startup", "lifespan.shutdown"]
"""

ASYNC_TEST = """
    import pytest
    from flaskctx import has_request_context, request
    {mark}
    async def test_it(events, async_client):
        assert events == ["lifespan.startup"]
        assert (await async_client.get("/")).text == "hello 1"
        assert (await async_client.get("/")).text == "hello 2"
        assert not has_request_context()

    {mark}
    async def test_with_contexts(events, async_client):
        async with async_client:
            await async_client.get("/")
            assert request.path == "/"
        assert not has_request_context()
        assert events == ["lifespan.startup"]
"""


class TestAsyncClient:
    @pytest.mark.parametrize(
        ("mode", "scope", "mark"),
        [
            ("auto", "function", ""),
            ("strict", "function", "@pytest.mark.asyncio"),
            ("strict", "module", '@pytest.mark.asyncio(loop_scope="module")'),
        ],
    )
    def test_on_pytest_asyncio(self, run, mode, scope, mark):
        ini = (
            "flaskctx_app = web:create_app\nflaskctx_leaks = true\n"
            f"asyncio_mode = {mode}\nasyncio_default_fixture_loop_scope = {scope}"
        )
        assert outcomes(run(ASYNC_TEST.format(mark=mark), ini=ini, conftest=STARTED)) == {"passed": 2}

    @pytest.mark.parametrize("plugins", [[], ["-pno:asyncio"]])
    def test_on_asyncio_and_trio_by_the_plugin_of_anyio(self, run, plugins):
        conftest = (
            STARTED
            + """
    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(request):
        return request.param
"""
        )
        ini = "flaskctx_app = web:create_app\nflaskctx_leaks = true" + "\nasyncio_mode = strict" * (not plugins)
        # not in this process, where pytest-asyncio's automatic mode may have made all async fixtures its own
        test = ASYNC_TEST.format(mark="@pytest.mark.anyio")
        result = run(test, *plugins, ini=ini, in_process=False, conftest=conftest)
        assert outcomes(result) == {"passed": 4}

    def test_in_a_fixture_that_is_async_itself(self, run):
        test = """
            import pytest

            @pytest.fixture
            async def logged_in(async_client):
                await async_client.get("/")
                return async_client

            async def test_it(logged_in):
                assert (await logged_in.get("/")).text == "hello 2"
        """
        ini = "flaskctx_app = web:create_app\nasyncio_mode = auto"
        assert outcomes(run(test, ini=ini)) == {"passed": 1}

    def test_without_a_plugin_for_async_tests_says_which_there_are(self, run):
        result = run("def test_it(async_client): pass", "-pno:asyncio", "-pno:anyio")
        assert outcomes(result) == {"errors": 1}
        result.stdout.fnmatch_lines("*Install pytest-asyncio, or mark the test with @pytest.mark.anyio.")


class TestNoLeaks:
    @pytest.fixture
    def no_leaks(self):
        """What the runs within these tests leave behind is theirs."""

    LEAKING = """
        async def leave(context):
            await context.__aenter__()

        def test_pushed(app):
            app.app_context().push()

        def test_kept_by_a_client(app):
            app.test_client().__enter__().get("/")

        async def test_pushed_in_a_task(app):
            await leave(app.test_request_context("/in-a-task"))

        def test_after_the_others(app):
            from flaskctx import has_app_context, has_request_context
            assert not has_app_context()
            assert not has_request_context()
    """
    INI = "flaskctx_app = web:create_app\nasyncio_mode = auto\n"

    def test_fails_each_test_that_leaves_a_context(self, run):
        result = run(self.LEAKING, ini=self.INI + "flaskctx_leaks = true")
        assert outcomes(result) == {"passed": 4, "errors": 3}
        result.stdout.fnmatch_lines(
            [
                "*ERROR at teardown of test_pushed *",
                "The test has left contexts behind:",
                "<AppContext of web>, pushed at *test_it.py:5 in test_pushed, was never popped.*",
                "*ERROR at teardown of test_kept_by_a_client *",
                "<RequestContext 'http://localhost/' ?GET? of web>, pushed at *in test_kept_by_a_client, is kept by*",
                "*ERROR at teardown of test_pushed_in_a_task *",
                "<RequestContext 'http://localhost/in-a-task' ?GET? of web>, pushed at *in leave, was never popped.*",
            ]
        )

    def test_is_off_unless_it_is_asked_for(self, run):
        test = """
            import pytest

            @pytest.fixture(autouse=True)
            def clean():
                yield
                from flaskctx.globals import _app_ctx_stack
                _app_ctx_stack.set_node(None)

            def test_pushed(app):
                app.app_context().push()

            def test_asks_for_it(app, no_leaks):
                with app.app_context():
                    pass
        """
        assert outcomes(run(test, ini=self.INI)) == {"passed": 2}

    def test_can_be_replaced_for_some_tests(self, run):
        test = """
            import pytest

            class TestLeaksOnPurpose:
                @pytest.fixture
                def no_leaks(self):
                    pass

                def test_it(self, app):
                    context = app.app_context()
                    context.push()
                    request_context = context
                    TestLeaksOnPurpose.context = context

            def test_has_it_still(app):
                TestLeaksOnPurpose.context.pop()
        """
        assert outcomes(run(test, ini=self.INI + "flaskctx_leaks = true")) == {"passed": 2}

    def test_allows_what_fixtures_have_pushed(self, run):
        test = """
            import pytest
            from flaskctx import Flask, current_app, request

            @pytest.fixture(scope="module", autouse=True)
            def module_context():
                with Flask("module").app_context():
                    yield

            @pytest.fixture
            def context(app):
                with app.test_request_context("/pushed"):
                    yield

            @pytest.fixture
            def client(app):
                with app.test_client() as client:
                    yield client

            def test_one(context, client):
                client.get("/")
                assert request.path == "/"

            async def test_two(context, client):
                client.get("/")
                assert request.path == "/"
        """
        assert outcomes(run(test, ini=self.INI + "flaskctx_leaks = true")) == {"passed": 2}

    def test_of_a_fixture_blames_the_test(self, run):
        test = """
            import pytest

            @pytest.fixture
            def context(app):
                context = app.app_context()
                context.push()

            def test_it(context):
                pass
        """
        result = run(test, ini=self.INI + "flaskctx_leaks = true")
        assert outcomes(result) == {"passed": 1, "errors": 1}
        result.stdout.fnmatch_lines("<AppContext of web>, pushed at *test_it.py:6 in context, was never popped.*")

    def test_knows_unittest_as_well(self, run):
        test = """
            import unittest
            from flaskctx import Flask

            class TestIt(unittest.TestCase):
                def test_def(self):
                    Flask("web").app_context().push()

            class TestAsync(unittest.IsolatedAsyncioTestCase):
                async def test_async(self):
                    await Flask("web").app_context().__aenter__()
        """
        result = run(test, ini="flaskctx_leaks = true")
        assert outcomes(result) == {"passed": 2, "errors": 2}


def test_the_examples_of_the_documentation(pytester):
    blocks = re.findall(
        r"^```(?:python|ini)\n# (\S+)\n(.*?)^```",
        (REPOSITORY / "docs" / "testing.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
    for name, text in blocks:
        pytester.path.joinpath(name).write_text(text)
    result = pytester.runpytest_inprocess("-ppytest_flaskctx", "-pno:cacheprovider", "-pno:hypothesispytest")
    assert outcomes(result) == {"passed": 10}


def test_the_plugin_itself_imports_nothing_of_the_package():
    code = "import sys, pytest_flaskctx; print([n for n in ('flaskctx', 'werkzeug', 'anyio') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_imports_no_pytest():
    code = "import sys, flaskctx, flaskctx.testing.both, flaskctx.testing.leaks; print('pytest' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
