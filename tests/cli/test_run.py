"""The development server: what `run` passes on, and one real process."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import flaskctx.cli.run
from flaskctx.app import Flask
from flaskctx.cli import FlaskGroup
from flaskctx.cli.asgi_server import reloaded_application

ROOT = Path(__file__).parents[2]
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

    class Uvicorn:
        @staticmethod
        def run(app, **options):
            started.update(options, app=app)

    monkeypatch.setitem(sys.modules, "uvicorn", Uvicorn)
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
        assert "Serving 'web' over WSGI" in shown
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

    def test_the_banner_is_shown_once_not_at_each_reload(self, run, web, wsgi):
        assert "Serving" not in run("--app", "web", "run", env={"WERKZEUG_RUN_MAIN": "true"}).output


class TestCertificates:
    def test_a_file_goes_with_its_key(self, run, web, wsgi, write):
        write("cert.pem", "")
        write("key.pem", "")
        assert run("--app", "web", "run", "--cert", "cert.pem", "--key", "key.pem").exit_code == 0
        assert wsgi["ssl_context"] == ("cert.pem", "key.pem")

    def test_an_ssl_context_is_imported_by_its_name(self, run, web, wsgi, write):
        write("secure.py", "import ssl\ncontext = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n")
        sys.path.insert(0, os.getcwd())
        assert run("--app", "web", "run", "--cert", "secure:context").exit_code == 0
        assert isinstance(wsgi["ssl_context"], ssl.SSLContext)

    def test_a_certificate_made_on_the_spot_needs_cryptography(self, run, web, wsgi, monkeypatch):
        monkeypatch.setattr("flaskctx.cli.certificates.find_spec", lambda name: None)
        assert "needs the package cryptography" in run("--app", "web", "run", "--cert", "adhoc").stderr
        monkeypatch.setattr("flaskctx.cli.certificates.find_spec", lambda name: name)
        assert run("--app", "web", "run", "--cert", "adhoc").exit_code == 0
        assert wsgi["ssl_context"] == "adhoc"

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["--cert", "web.py"], "add --key"),
            (["--key", "web.py"], "add --cert"),
            (["--cert", "nowhere.pem"], "neither a file"),
        ],
    )
    def test_what_does_not_belong_together_is_refused(self, run, web, wsgi, args, message):
        result = run("--app", "web", "run", *args)
        assert result.exit_code == 2
        assert message in result.stderr
        assert wsgi == {}


class TestASGI:
    def test_the_asgi_adapter_is_served_on_uvicorn(self, run, web, uvicorn):
        result = run("--app", "web", "run", "--asgi", "-p", "81")
        assert result.exit_code == 0, result.output
        assert "over ASGI" in result.output
        app = uvicorn.pop("app")
        assert callable(app)
        assert not isinstance(app, Flask)
        assert uvicorn == {"host": "127.0.0.1", "port": 81, "ssl_certfile": None, "ssl_keyfile": None}

    def test_certificates_are_files(self, run, web, uvicorn, write, monkeypatch):
        write("cert.pem", "")
        run("--app", "web", "run", "--asgi", "--cert", "cert.pem", "--key", "cert.pem")
        assert (uvicorn["ssl_certfile"], uvicorn["ssl_keyfile"]) == ("cert.pem", "cert.pem")
        monkeypatch.setattr("flaskctx.cli.certificates.find_spec", lambda name: name)
        assert "--cert is a file" in run("--app", "web", "run", "--asgi", "--cert", "adhoc").stderr

    def test_reloading_starts_processes_that_load_the_application_by_name(self, run, web, uvicorn):
        run("--app", "web", "run", "--asgi", "--reload")
        assert (uvicorn["app"], uvicorn["factory"], uvicorn["reload"]) == (
            "flaskctx.cli.asgi_server:reloaded_application",
            True,
            True,
        )
        assert os.environ["FLASK_APP"] == "web"
        assert callable(reloaded_application())

    def test_an_application_without_a_name_can_not_be_reloaded(self, run, uvicorn):
        script = FlaskGroup(name="script", create_app=lambda: Flask("scripted"))
        assert "add --no-reload" in run("run", "--asgi", "--reload", group=script).stderr.replace("\n", " ")

    def test_options_for_werkzeug_only_are_refused(self, run, web, uvicorn):
        result = run("--app", "web", "run", "--asgi", "--debugger", "--extra-files", "web.py")
        assert result.exit_code == 2
        assert "--debugger, --extra-files: only werkzeug" in result.stderr

    def test_without_uvicorn_the_message_says_what_to_install(self, run, web, monkeypatch):
        def import_module(name):
            raise ModuleNotFoundError(name=name)

        monkeypatch.setattr("flaskctx.cli.asgi_server.import_module", import_module)
        result = run("--app", "web", "run", "--asgi")
        assert result.exit_code == 2
        assert "pip install 'flaskctx[asgi]'" in result.stderr


@pytest.mark.servers
@pytest.mark.parametrize("options", [[], ["--asgi"]])
def test_a_process_serves_and_stops(web, folder, options):
    if options:
        pytest.importorskip("uvicorn")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "flaskctx", "--app", "web", "run", "--port", str(port), *options]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            assert _get(f"http://127.0.0.1:{port}/", server, folder / "log") == b"hello"
            server.terminate()
            # werkzeug's server exits; uvicorn shuts down and then lets the signal have its way
            assert server.wait(10) in (0, -signal.SIGTERM)
        finally:
            server.kill()
            server.wait(10)


def _get(url, server, log):
    """Ask until the server is up, for 20 seconds at most."""
    end = time.monotonic() + 20
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.read()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no answer from {url}: {log.read_text()}")
