"""The command `run`: what it passes on to the servers; test_processes.py starts them."""

from __future__ import annotations

import os
import ssl
import sys
from importlib import import_module

import pytest

import flaskctx.cli.run
from flaskctx.app import Flask
from flaskctx.asgi import ASGIAdapter
from flaskctx.cli import FlaskGroup, asgi_server
from flaskctx.cli.watched_files import WatchedFiles

APP = "from flaskctx.app import Flask\napp = Flask(__name__)\n@app.get('/')\ndef index():\n    return 'hello'\n"


@pytest.fixture
def web(write):
    return write("web.py", APP)


@pytest.fixture
def wsgi(monkeypatch):
    """What werkzeug's server was started with."""
    started = {}

    def run_simple(host, port, app, **options):
        started.update(options, host=host, port=port, app=app)

    monkeypatch.setattr(flaskctx.cli.run, "run_simple", run_simple)
    monkeypatch.setattr(flaskctx.cli.run, "exit_on_sigterm", lambda: None)
    return started


@pytest.fixture
def uvicorn(monkeypatch):
    """What uvicorn was started with."""
    started = {}

    def run(app, **options):
        started.update(options, app=app)

    class Reloader:
        def __init__(self, config, files):
            started.update(app=config.app, factory=config.factory, reload=config.reload)

        def run(self):
            started["running"] = True

    monkeypatch.setattr(asgi_server.uvicorn, "run", run)
    monkeypatch.setattr(asgi_server, "Reloader", Reloader)
    monkeypatch.setattr(asgi_server, "exit_on_sigterm", lambda: None)
    return started


class TestWSGI:
    def test_the_defaults(self, run, web, wsgi):
        result = run("--app", "web", "run")
        assert result.exit_code == 0, result.output
        assert isinstance(wsgi.pop("app"), Flask)
        assert wsgi == {
            "host": "127.0.0.1",
            "port": 5000,
            "use_reloader": False,
            "use_debugger": False,
            "threaded": True,
            "ssl_context": None,
            "extra_files": None,
            "exclude_patterns": None,
        }

    def test_options(self, run, web, wsgi):
        paths = f"web.py{os.pathsep}other.py"
        args = "-h 0.0.0.0 -p 80 --reload --debugger --without-threads --extra-files"
        assert run("--app", "web", "run", *args.split(), paths, "--exclude-patterns", "*.txt").exit_code == 0
        del wsgi["app"]
        assert wsgi == {
            "host": "0.0.0.0",
            "port": 80,
            "use_reloader": True,
            "use_debugger": True,
            "threaded": False,
            "ssl_context": None,
            "extra_files": ["web.py", "other.py"],
            "exclude_patterns": ["*.txt"],
        }

    @pytest.mark.parametrize("args", [["--debug", "run"], ["run", "--debug"]])
    def test_debug_mode_means_reloader_and_debugger(self, run, web, wsgi, args):
        shown = run("--app", "web", *args).output
        assert (wsgi["use_reloader"], wsgi["use_debugger"], wsgi["app"].debug) == (True, True, True)
        assert "Serving web over WSGI" in shown
        assert "Debug mode: on" in shown

    def test_debug_mode_without_reloader(self, run, web, wsgi):
        run("--app", "web", "--debug", "run", "--no-reload")
        assert (wsgi["use_reloader"], wsgi["use_debugger"]) == (False, True)

    def test_options_may_be_variables(self, run, web, wsgi):
        run("run", env={"FLASK_APP": "web", "FLASK_RUN_PORT": "81", "FLASK_RUN_HOST": "localhost"})
        assert (wsgi["host"], wsgi["port"]) == ("localhost", 81)

    def test_an_application_that_can_not_be_loaded_is_an_error(self, run, write, wsgi):
        write("web.py", "raise RuntimeError('at import')")
        assert str(run("--app", "web", "run").exception) == "at import"
        assert wsgi == {}

    def test_in_the_reloaders_process_it_is_shown_until_it_is_corrected(self, run, write, wsgi):
        write("web.py", "raise RuntimeError('at import')")
        result = run("--app", "web", "run", env={"WERKZEUG_RUN_MAIN": "true"})
        assert result.exit_code == 0
        with pytest.raises(RuntimeError, match="at import"):
            wsgi["app"]({}, None)

    def test_the_banner_can_be_replaced(self, run, web, wsgi, monkeypatch):
        monkeypatch.setattr("flaskctx.cli.show_server_banner", lambda *args: print("quiet", len(args)))
        assert run("--app", "web", "run").output == "quiet 2\n"

    def test_the_banner_is_shown_once_not_at_each_reload(self, run, web, wsgi):
        assert "Serving" not in run("--app", "web", "run", env={"WERKZEUG_RUN_MAIN": "true"}).output


class TestCertificates:
    @pytest.mark.parametrize("order", [1, -1])
    def test_a_file_goes_with_its_key(self, run, web, wsgi, write, order):
        write("cert.pem", "")
        write("key.pem", "")
        options = [["--cert", "cert.pem"], ["--key", "key.pem"]][::order]
        assert run("--app", "web", "run", *options[0], *options[1]).exit_code == 0
        assert wsgi["ssl_context"] == ("cert.pem", "key.pem")

    def test_an_ssl_context_is_imported_by_its_name(self, run, web, wsgi, write):
        write("secure.py", "import ssl\ncontext = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n")
        sys.path.insert(0, os.getcwd())
        assert run("--app", "web", "run", "--cert", "secure:context").exit_code == 0
        assert isinstance(wsgi["ssl_context"], ssl.SSLContext)

    def test_a_certificate_made_on_the_spot_needs_cryptography(self, run, web, wsgi, monkeypatch):
        monkeypatch.setitem(sys.modules, "cryptography", None)
        assert "pip install cryptography" in run("--app", "web", "run", "--cert", "adhoc").stderr
        monkeypatch.setitem(sys.modules, "cryptography", sys)
        assert run("--app", "web", "run", "--cert", "adhoc").exit_code == 0
        assert wsgi["ssl_context"] == "adhoc"

    def test_any_certificate_needs_ssl(self, run, web, wsgi, monkeypatch):
        monkeypatch.setitem(sys.modules, "ssl", None)
        assert "built without SSL" in run("--app", "web", "run", "--cert", "adhoc").stderr

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["--cert", "web.py"], "add --key"),
            (["--key", "web.py"], "add --cert"),
            (["--cert", "nowhere.pem"], "neither a file"),
            (["--cert", "flaskctx"], "neither a file"),
            (["--cert", "adhoc", "--key", "web.py"], "add --cert FILE"),
        ],
    )
    def test_what_does_not_belong_together_is_refused(self, run, web, wsgi, monkeypatch, args, message):
        monkeypatch.setitem(sys.modules, "cryptography", sys)
        result = run("--app", "web", "run", *args)
        assert result.exit_code == 2
        assert message in result.stderr
        assert wsgi == {}


class TestASGI:
    def test_the_asgi_adapter_is_served_on_uvicorn(self, run, web, uvicorn):
        result = run("--app", "web", "run", "--asgi", "-p", "81")
        assert result.exit_code == 0, result.output
        assert "Serving web over ASGI" in result.output
        assert isinstance(uvicorn.pop("app"), ASGIAdapter)
        assert uvicorn == {"host": "127.0.0.1", "port": 81}

    def test_a_certificate_is_a_file(self, run, web, uvicorn, write):
        write("cert.pem", "")
        run("--app", "web", "run", "--asgi", "--cert", "cert.pem", "--key", "cert.pem")
        assert (uvicorn["ssl_certfile"], uvicorn["ssl_keyfile"]) == ("cert.pem", "cert.pem")

    def test_or_made_on_the_spot(self, run, web, uvicorn, monkeypatch):
        monkeypatch.setitem(sys.modules, "cryptography", sys)
        monkeypatch.setattr(asgi_server, "make_ssl_devcert", lambda path, host: (f"{path}.crt", f"{path}.key"))
        assert run("--app", "web", "run", "--asgi", "--cert", "adhoc").exit_code == 0
        assert uvicorn["ssl_certfile"].endswith("adhoc.crt")
        assert not os.path.exists(os.path.dirname(uvicorn["ssl_keyfile"]))

    def test_and_no_ssl_context(self, run, web, uvicorn, write):
        write("secure.py", "import ssl\ncontext = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n")
        sys.path.insert(0, os.getcwd())
        assert "can't be given an SSLContext" in run("--app", "web", "run", "--asgi", "--cert", "secure:context").stderr
        assert uvicorn == {}

    def test_options_for_werkzeug_only_are_refused(self, run, web, uvicorn):
        result = run("--app", "web", "run", "--asgi", "--debugger", "--without-threads")
        assert result.exit_code == 2
        assert "--debugger, --with-threads: only werkzeug" in result.stderr

    def test_but_not_those_that_are_set_in_the_environment(self, run, web, uvicorn):
        assert run("--app", "web", "run", "--asgi", env={"FLASK_RUN_DEBUGGER": "1"}).exit_code == 0

    def test_without_uvicorn_the_message_says_what_to_install(self, run, web, monkeypatch):
        monkeypatch.setitem(sys.modules, "uvicorn", None)
        monkeypatch.delitem(sys.modules, "flaskctx.cli.asgi_server")
        result = run("--app", "web", "run", "--asgi")
        assert result.exit_code == 2
        assert "pip install 'flaskctx[asgi]'" in result.stderr


class TestReloadingUnderASGI:
    """uvicorn loads the application in a process of its own, which is told its name."""

    def test_the_application_is_loaded_by_its_name(self, run, web, uvicorn):
        run("--app", "web", "run", "--asgi", "--reload")
        assert uvicorn == {
            "app": "flaskctx.cli.asgi_server:reloaded_application",
            "factory": True,
            "reload": True,
            "running": True,
        }
        assert os.environ["FLASK_APP"] == "web"
        assert asgi_server.reloaded_application().app.name == "web"

    def test_or_found(self, run, write, uvicorn):
        write("app.py", APP)
        run("run", "--asgi", "--reload")
        assert asgi_server.reloaded_application().app.name == "app"

    def test_that_of_a_script_is_made_by_its_function(self, run, write, uvicorn):
        write("wiki.py", "from flaskctx import Flask\ndef create():\n    return Flask('wiki')\n")
        sys.path.insert(0, os.getcwd())
        script = FlaskGroup(name="script", create_app=import_module("wiki").create)
        assert run("run", "--asgi", "--reload", group=script).exit_code == 0
        assert os.environ["FLASK_APP"] == "wiki:create"
        assert asgi_server.reloaded_application().app.name == "wiki"

    def test_unless_no_other_process_can_find_that(self, run, uvicorn):
        script = FlaskGroup(name="script", create_app=lambda: Flask("scripted"))
        assert "top level of a module" in run("run", "--asgi", "--reload", group=script).stderr
        assert run("run", "--asgi", group=script).exit_code == 0

    def test_a_mistake_is_shown_until_it_is_corrected(self, run, write, monkeypatch, capsys):
        write("web.py", "raise RuntimeError('at import')")
        monkeypatch.setenv("FLASK_APP", "web")
        answer = asgi_server.reloaded_application().app.test_client().get("/any")
        assert answer.status_code == 500
        assert "RuntimeError: at import" in answer.text
        assert "RuntimeError: at import" in capsys.readouterr().err


class TestWatchedFiles:
    """What restarts the server under ASGI."""

    @pytest.fixture
    def names(self, folder):
        """Return the names of the files that have changed, from the working directory."""
        return lambda watched: [path.relative_to(folder).as_posix() for path in watched.changed()]

    def test_python_files_below_the_working_directory_are_watched(self, write, names):
        files = [write(path, "first") for path in ["web.py", "pages/user.py", "pages/user.html"]]
        watched = WatchedFiles()
        assert names(watched) == []
        for file in files:
            file.write_text("again")
        assert names(watched) == ["pages/user.py", "web.py"]
        assert names(watched) == []

    def test_also_those_that_are_added_and_removed(self, write, names):
        old = write("old.py", "")
        watched = WatchedFiles()
        write("new.py", "")
        assert names(watched) == ["new.py"]
        old.unlink()
        assert names(watched) == ["old.py"]

    def test_and_those_in_whose_place_an_older_one_is_put(self, write, names):
        web = write("web.py", "first")
        watched = WatchedFiles()
        os.utime(web, (1, 1))
        assert names(watched) == ["web.py"]

    def test_more_files_can_be_named(self, write, names):
        write("conf/settings.toml", "")
        watched = WatchedFiles(["conf/settings.toml"])
        write("conf/settings.toml", "changed")
        write("conf/other.toml", "")
        assert names(watched) == ["conf/settings.toml"]

    def test_and_folders_for_the_python_files_in_them(self, write, folder, monkeypatch):
        tool = write("lib/tool.py", "")
        write("site/web.py", "")
        monkeypatch.chdir(folder / "site")
        watched = WatchedFiles(["../lib"])
        tool.write_text("changed")
        tool.with_suffix(".txt").write_text("")
        assert watched.changed() == [tool]

    @pytest.mark.parametrize("pattern", ["test_*", "pages/*.py", "*/pages/*"])
    def test_files_can_be_excluded_by_patterns_of_name_end_and_path(self, write, names, pattern):
        watched = WatchedFiles(excluded=[pattern])
        write("pages/test_user.py", "")
        write("web.py", "")
        assert "pages/test_user.py" not in names(watched)

    @pytest.mark.parametrize("place", [".tox", "node_modules", "venv"])
    def test_folders_that_hold_the_work_of_others_are_left_out(self, write, names, place):
        write("venv/pyvenv.cfg", "")
        watched = WatchedFiles()
        write(f"{place}/site.py", "")
        assert names(watched) == []

    def test_unless_it_is_the_working_directory_itself(self, write, names):
        write("pyvenv.cfg", "")
        watched = WatchedFiles()
        write("web.py", "")
        assert names(watched) == ["web.py"]
