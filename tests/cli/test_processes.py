"""The development server as a process: it serves, notices changes, and ends with all that it has started."""

from __future__ import annotations

import http.client
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from ..ports import free_port

ROOT = Path(__file__).parents[2]
WAIT = 30
"""Seconds that anything may take."""

PROTOCOLS = pytest.mark.parametrize("protocol", [[], ["--asgi"]], ids=["wsgi", "asgi"])

pytestmark = pytest.mark.servers


class Process:
    """`flaskctx run`, or a script that is given, on a free port."""

    def __init__(self, folder, *options, program=("-m", "flaskctx", "--app", "web")):
        self.port = free_port()
        self._log = folder / "log"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("FLASK", "PYTHON"))},
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *program, "run", "--port", str(self.port), *options],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_for(self, text, path="/"):
        """Ask until the answer contains this text."""
        answer, deadline = None, time.monotonic() + WAIT
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=WAIT) as response:
                    answer = response.read().decode()
            except urllib.error.HTTPError as error:
                answer = error.read().decode()
            except (OSError, http.client.HTTPException):
                # it isn't there yet, or ends in the midst of an answer
                answer = None
            if answer is not None and text in answer:
                return
            time.sleep(0.1)
        raise AssertionError(f"{text!r} did not come, but {answer!r}:\n{self._log.read_text()}")

    def end(self, number):
        """Send a signal; return the exit code when nothing is left of the process and its children."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(number)
        code = self._process.wait(WAIT)
        _, alive = psutil.wait_procs(children, WAIT)
        assert alive == []
        return code

    def kill(self):
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(WAIT)

    def send(self, path):
        """Send a request, and return the connection, on which nothing was received."""
        connection = socket.create_connection(("127.0.0.1", self.port), WAIT)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return connection


@pytest.fixture
def start(folder):
    """Start the development server; it is stopped when the test ends."""
    started = []

    def start(*options, **program):
        started.append(Process(folder, *options, **program))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def change(write):
    """Write a file, each time newer than before."""
    seconds = itertools.count()

    def change(path, text):
        file = write(path, text)
        newer = time.time() + next(seconds)
        os.utime(file, (newer, newer))
        return file

    return change


def answering(text):
    """Return a module whose application answers with a text."""
    return f"""
        from flaskctx import Flask

        app = Flask(__name__)

        @app.get("/")
        async def index():
            return "{text}"

        def create_app():
            return app
    """


@PROTOCOLS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_it(start, change, protocol, number):
    change("web.py", answering("hello"))
    process = start(*protocol)
    process.wait_for("hello")
    assert process.end(number) == 0


@PROTOCOLS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_change_restarts_it_and_a_mistake_is_shown(start, change, protocol, number):
    change("web.py", answering("first"))
    process = start("--debug", *protocol)
    process.wait_for("first")
    change("web.py", answering("second"))
    process.wait_for("second")
    change("web.py", "raise RuntimeError('a mistake')")
    process.wait_for("a mistake")
    change("web.py", answering("third"))
    process.wait_for("third")
    assert process.end(number) == 0


@PROTOCOLS
def test_so_does_a_change_of_an_extra_file(start, change, protocol):
    application = """
        from pathlib import Path
        from flaskctx import Flask

        app = Flask(__name__)
        text = Path("conf/text").read_text()
        app.add_url_rule("/", "index", lambda: text)
    """
    change("web.py", application)
    change("conf/text", "before")
    process = start("--reload", "--extra-files", "conf/text", *protocol)
    process.wait_for("before")
    change("conf/text", "after")
    process.wait_for("after")


@PROTOCOLS
def test_a_script_of_its_own_is_restarted_too(start, change, protocol):
    change("web.py", answering("first"))
    script = """
        import click
        from flaskctx.cli import FlaskGroup
        from web import create_app

        cli = FlaskGroup(create_app=create_app)

        if __name__ == "__main__":
            cli()
    """
    change("manage.py", script)
    process = start("--reload", *protocol, program=["manage.py"])
    process.wait_for("first")
    change("web.py", answering("second"))
    process.wait_for("second")
    assert process.end(signal.SIGINT) == 0


class TestReloadingUnderASGI:
    def test_a_change_is_noticed_however_soon_it_comes(self, start, change):
        script = """
            from pathlib import Path

            import values

            # so begins the process that the reloader starts, under this name; it may be ended in the midst
            if __name__ == "__mp_main__" and values.text == "first":
                Path("second").rename("values.py")

            from flaskctx import Flask
            from flaskctx.cli import FlaskGroup

            def create_app():
                app = Flask(__name__)
                app.add_url_rule("/", "index", lambda: values.text)
                return app

            if __name__ == "__main__":
                FlaskGroup(create_app=create_app)()
        """
        change("values.py", "text = 'first'")
        change("second", "text = 'second'")
        change("manage.py", script)
        start("--reload", "--asgi", program=["manage.py"]).wait_for("second")

    def test_so_is_one_of_the_same_length_in_the_same_second(self, start, change):
        web = change("web.py", answering("first"))
        process = start("--reload", "--asgi")
        process.wait_for("first")
        before = web.stat().st_mtime_ns
        second = web.with_suffix(".new")
        second.write_text(web.read_text().replace("first", "other"))
        os.utime(second, ns=(before, before + 1 if before % 10**9 < 10**9 - 1 else before - 1))
        second.replace(web)
        process.wait_for("other")

    @pytest.mark.parametrize("path", ["/stream", "/sleep"])
    def test_requests_that_do_not_end_hold_up_no_change(self, start, change, path):
        application = """
            import asyncio, time
            from flaskctx import Flask

            app = Flask(__name__)
            begun = set()
            app.add_url_rule("/", "index", lambda: "first")
            app.add_url_rule("/begun", "begun", lambda: str(bool(begun)))

            @app.get("/stream")
            async def stream():
                async def body():
                    begun.add("stream")
                    yield "begun"
                    await asyncio.Event().wait()
                return body()

            @app.get("/sleep")
            def sleep():
                begun.add("sleep")
                time.sleep(300)
                return ""
        """
        change("web.py", application)
        process = start("--reload", "--asgi")
        process.wait_for("first")
        with process.send(path):
            process.wait_for("True", path="/begun")
            change("web.py", answering("second"))
            process.wait_for("second")
