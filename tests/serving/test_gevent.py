"""Serving, background tasks and the portal where gevent has replaced threads by greenlets."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def run_script(text):
    """Run a script in a new interpreter with gevent's patches; return what it prints on both outputs."""
    text = "import gevent.monkey\ngevent.monkey.patch_all()\n" + textwrap.dedent(text)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr


def test_greenlets_wait_for_one_start_and_the_exit_ends_it():
    output = run_script("""
        import gevent, asyncio
        from flaskctx import Flask

        app = Flask("app")

        @app.while_serving
        async def around():
            await asyncio.sleep(0.1)
            print("start")
            yield
            print("end")

        app.get("/")(lambda: "ok")
        client = app.test_client()
        greenlets = [gevent.spawn(client.get, "/") for _ in range(5)]
        gevent.joinall(greenlets, raise_error=True)
        print(*[greenlet.value.text for greenlet in greenlets])
    """)
    assert output.splitlines() == ["start", "ok ok ok ok ok", "end"]


def test_a_def_task_that_blocks_stops_nobody():
    output = run_script("""
        import asyncio, gevent, time
        from flaskctx import Flask

        app = Flask("app")
        block = gevent.monkey.get_original("time", "sleep")

        def task():
            block(0.5)
            print("task")

        @app.get("/")
        async def index():
            await asyncio.sleep(0.01)
            return "view"

        app.add_background_task(task)
        time.sleep(0.1)
        print(app.test_client().get("/").text)
    """)
    assert output.splitlines() == ["view", "task"]


def test_the_portal_wakes_greenlets():
    output = run_script("""
        import asyncio, gevent
        from flaskctx import Flask

        app = Flask("app")

        async def wait(number):
            await asyncio.sleep(0.1)
            return number

        def use(number):
            print(app.portal.run(wait, number) + app.portal.start(wait, number).result())

        gevent.joinall([gevent.spawn(use, number) for number in (1, 2)], raise_error=True)
    """)
    assert sorted(output.split()) == ["2", "4"]
