"""`app.run()`: what it hands to werkzeug's server, what it says, and what it leaves behind."""

from __future__ import annotations

import signal
import sys

import pytest
import werkzeug.serving
from werkzeug.test import Client

import flaskctx.cli
from flaskctx import Flask


@pytest.fixture
def served(monkeypatch):
    """What `run_simple` was called with; a request is served in place of it."""
    served = []

    def run_simple(host, port, app, **options):
        served.append((host, port, options))
        Client(app).get("/")

    monkeypatch.setattr(werkzeug.serving, "run_simple", run_simple)
    for name in ("FLASK_RUN_FROM_CLI", "FLASK_DEBUG", "WERKZEUG_RUN_MAIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FLASK_SKIP_DOTENV", "1")
    before = signal.getsignal(signal.SIGTERM)
    yield served
    signal.signal(signal.SIGTERM, before)


def test_it_serves_on_this_machine_in_threads(app, served):
    app.run()
    assert served == [("127.0.0.1", 5000, {"use_reloader": False, "use_debugger": False, "threaded": True})]


def test_with_debug_it_reloads_and_shows_the_debugger(app, served):
    app.run(debug=True)
    assert app.debug
    assert served[0][2] == {"use_reloader": True, "use_debugger": True, "threaded": True}


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        ({}, ("example.com", 8000)),
        ({"host": "0.0.0.0"}, ("0.0.0.0", 8000)),
        ({"port": 0}, ("example.com", 0)),
    ],
)
def test_the_server_name_is_the_default_address(app, served, arguments, address):
    app.config["SERVER_NAME"] = "example.com:8000"
    app.run(**arguments)
    assert served[0][:2] == address


def test_options_are_the_servers(app, served):
    app.run(threaded=False, use_reloader=True, ssl_context="adhoc")
    assert served[0][2] == {
        "threaded": False, "use_reloader": True, "use_debugger": False, "ssl_context": "adhoc",
    }  # fmt: skip


def test_afterwards_views_may_be_registered_again(app, served):
    app.run()
    app.get("/late")(lambda: "late")
    assert app.test_client().get("/late").text == "late"


def test_so_they_may_after_a_run_that_was_interrupted(app, served, monkeypatch):
    app._got_first_request = True

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(werkzeug.serving, "run_simple", interrupted)
    with pytest.raises(KeyboardInterrupt):
        app.run()
    assert not app.got_first_request


def test_imported_by_the_command_it_serves_nothing_and_says_so(app, served, monkeypatch, capsys):
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
    app.run()
    assert served == []
    assert "app.run() is ignored" in capsys.readouterr().err


def test_sigterm_becomes_a_normal_exit(app, served):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    app.run()
    with pytest.raises(SystemExit) as exit:
        signal.raise_signal(signal.SIGTERM)
    assert exit.value.code == 0


def test_a_second_sigterm_does_not_disturb_the_exit(app, served):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    app.run()
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)


def test_run_by_a_module_that_is_imported_it_says_so(served, capsys):
    source = "from flaskctx import Flask\nFlask(__name__).run()\n"
    exec(compile(source, "web.py", "exec"), {"__name__": "web"})
    assert len(served) == 1
    assert "app.run() is called while 'web' is being imported" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["Flask('web').run()", "def main():\n    Flask('web').run()\nmain()"])
def test_run_by_the_program_it_says_nothing_of_that(served, capsys, source):
    exec(compile(f"from flaskctx import Flask\n{source}\n", "web.py", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().err == ""


def test_a_handler_of_the_programs_own_stays(app, served):
    def own(number, frame):
        pass

    signal.signal(signal.SIGTERM, own)
    app.run()
    assert signal.getsignal(signal.SIGTERM) is own


def test_the_variables_of_a_file_are_read_unless_they_are_not_to_be(app, served, monkeypatch, tmp_path):
    monkeypatch.delenv("FLASK_SKIP_DOTENV")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("FLASK_DEBUG=1\n")
    monkeypatch.setenv("FLASK_DEBUG", "")
    monkeypatch.delenv("FLASK_DEBUG")
    app.run(load_dotenv=False)
    assert app.debug is False
    app.run()
    assert app.debug is True


class TestTheBanner:
    @pytest.fixture
    def app(self):
        return Flask("web")

    @pytest.mark.parametrize(("debug", "mode"), [(False, "off"), (True, "on")])
    def test_it_names_the_application_and_the_mode(self, app, served, capsys, debug, mode):
        app.run(debug=debug)
        assert capsys.readouterr().out == f" * Serving web over WSGI\n * Debug mode: {mode}\n"

    def test_it_is_shown_once_not_at_each_reload(self, app, served, monkeypatch, capsys):
        monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
        app.run(debug=True)
        assert capsys.readouterr().out == ""

    def test_it_can_be_replaced_where_flask_has_it(self, app, served, monkeypatch, capsys):
        monkeypatch.setattr(flaskctx.cli, "show_server_banner", lambda *args: print("quiet", len(args)))
        app.run()
        assert capsys.readouterr().out == "quiet 2\n"

    def test_it_is_shown_where_nobody_has_imported_the_commands(self, app, served, monkeypatch, capsys):
        monkeypatch.delitem(sys.modules, "flaskctx.cli")
        app.run()
        assert "Serving web" in capsys.readouterr().out
