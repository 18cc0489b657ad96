"""flaskctx/bridge/portal.py: one background loop per process, and its end."""

from __future__ import annotations

import asyncio
import atexit
import logging
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextvars import copy_context

import pytest

from flaskctx.bridge.portal import STREAM, BackgroundLoop, NativeThreadExecutor, start_native_thread

# `flaskctx.bridge.portal` is the loop itself, as an attribute
portal_module = sys.modules["flaskctx.bridge.portal"]


@pytest.fixture
def background(monkeypatch):
    """A background loop of the test's own, ended with it; nothing is registered for the exit of the tests."""
    monkeypatch.setattr(portal_module, "_before_executors_close", lambda function: None)
    monkeypatch.setattr(atexit, "register", lambda function: None)
    background = BackgroundLoop()
    yield background
    background._end()


@pytest.fixture
def run(background):
    """Run a coroutine function on the background loop and wait for it."""
    return lambda function, *args: background.wait_for(function(*args), copy_context())


def start_task(background, run, coroutine_function, **kwargs):
    """Start a task on the loop that nobody waits for."""
    tasks = []

    async def start():
        tasks.append(asyncio.create_task(coroutine_function(), **kwargs))
        await asyncio.sleep(0)

    run(start)
    return tasks[0]


def run_script(text):
    """Run a script in a new interpreter with all warnings on; return what it prints on both outputs."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=30
    )
    return done.stdout + done.stderr


async def name_of_thread():
    return threading.current_thread().name


def test_no_thread_is_started_before_the_first_coroutine(background):
    assert background._loop is None


def test_all_coroutines_run_on_one_loop(run):
    async def loop():
        return asyncio.get_running_loop()

    assert run(loop) is run(loop)


def test_several_threads_that_come_first_share_one_loop(background):
    loops = []
    threads = [threading.Thread(target=lambda: loops.append(background.loop)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(loops)) == 1


def test_raises_what_the_coroutine_raises(run):
    async def fail():
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        run(fail)


def test_an_exception_in_the_waiting_thread_cancels_the_coroutine(run):
    """KeyboardInterrupt, or a timeout of gevent."""
    seen = []

    class Interrupted(BaseException):
        pass

    async def wait():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    def interrupt(number, frame):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Interrupted):
            run(wait)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert seen == ["cancelled"]


def test_a_task_that_wants_to_end_the_process_does_not_end_the_loop(background, run, caplog):
    async def exit_process():
        raise SystemExit(3)

    task = start_task(background, run, exit_process)
    assert isinstance(task.exception(), SystemExit)
    assert run(name_of_thread)
    assert "SystemExit" in caplog.text


def test_waiting_for_the_loop_on_its_own_thread_is_an_error_not_a_hang(background, run):
    async def wait_for_itself():
        with pytest.raises(RuntimeError, match="can't be waited for"):
            background.wait_for(name_of_thread(), copy_context())

    run(wait_for_itself)


def test_a_loop_that_cannot_be_made_is_an_error_not_a_hang(background, monkeypatch):
    def fail():
        raise OSError("too many open files")

    monkeypatch.setattr(portal_module, "new_loop", fail)
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    with pytest.raises(RuntimeError, match="could not be started"):
        background.loop


class TestDrain:
    def test_waits_for_tasks(self, background, run):
        async def work():
            await asyncio.sleep(0.1)

        task = start_task(background, run, work)
        background.drain(5)
        assert task.done()
        assert not task.cancelled()

    def test_a_task_may_need_a_thread(self, background, run):
        async def work():
            await asyncio.sleep(0.05)
            return await asyncio.to_thread(lambda: "done")

        task = start_task(background, run, work)
        background.drain(5)
        assert task.result() == "done"

    def test_cancels_what_takes_too_long(self, background, run, caplog):
        async def work():
            await asyncio.sleep(60)

        task = start_task(background, run, work)
        background.drain(0.05)
        assert task.cancelled()
        assert "had not finished after 0.05 s" in caplog.text

    def test_gives_up_on_a_task_that_blocks_the_loop(self, background, run, caplog, monkeypatch):
        monkeypatch.setattr(portal_module, "CANCEL_WAIT", 0.05)

        async def work():
            time.sleep(0.5)

        async def start():
            asyncio.get_running_loop().call_later(0.01, lambda: tasks.append(asyncio.create_task(work())))

        tasks = []
        run(start)
        time.sleep(0.05)
        background.drain(0.05)
        assert "ignored their cancellation" in caplog.text

    def test_does_not_wait_for_streams(self, background, run):
        async def stream():
            await asyncio.sleep(60)

        task = start_task(background, run, stream, name=STREAM)
        begin = time.monotonic()
        background.drain(5)
        assert task.cancelled()
        assert time.monotonic() - begin < 1

    def test_the_loop_goes_on(self, background, run):
        run(name_of_thread)
        background.drain(1)
        assert run(name_of_thread) == "flaskctx-loop"

    def test_does_nothing_where_no_loop_runs(self, background):
        background.drain()
        assert background._loop is None


class TestAtEnd:
    """What lasts as long as the process is ended after everything else."""

    class Lasting:
        """A task that goes on until it is told to end."""

        wait = 5.0

        def __init__(self, seen, name="lasting"):
            self.seen = seen
            self.name = name
            self.to_end = asyncio.Event()
            context = copy_context()
            context.run(portal_module.lasting.set, True)
            self.task = asyncio.get_running_loop().create_task(self.run(), context=context)

        async def run(self):
            await self.to_end.wait()
            self.seen.append(self.name)

        async def end_with_process(self):
            self.to_end.set()
            await self.task

    def test_it_is_ended_when_the_tasks_have_finished(self, background, run):
        seen = []

        async def work():
            await asyncio.sleep(0.1)
            seen.append("task")

        async def begin():
            for name in ("first", "second"):
                one = self.Lasting(seen, name)
                background.at_end[one] = one

        run(begin)
        start_task(background, run, work)
        background.drain(5)
        assert seen == ["task", "second", "first"]
        assert background.at_end == {}

    def test_what_it_starts_is_not_waited_for_either(self, background, run):
        seen = []

        class WithChild(self.Lasting):
            async def run(self):
                child = asyncio.create_task(asyncio.sleep(60))
                await super().run()
                child.cancel()

        async def begin():
            one = WithChild(seen)
            background.at_end[one] = one
            await asyncio.sleep(0)

        run(begin)
        begin_time = time.monotonic()
        background.drain(5)
        assert seen == ["lasting"]
        assert time.monotonic() - begin_time < 4

    def test_one_that_fails_or_hangs_does_not_keep_the_others(self, background, run, caplog, monkeypatch):
        monkeypatch.setattr(portal_module, "CANCEL_WAIT", 0.05)
        seen = []

        class Failing:
            wait = 0.0

            async def end_with_process(self):
                raise LookupError("no")

        class Hanging(Failing):
            async def end_with_process(self):
                await asyncio.sleep(60)

        async def begin():
            for one in (self.Lasting(seen), Failing(), Hanging()):
                background.at_end[one] = one

        run(begin)
        background.drain(5)
        assert seen == ["lasting"]
        assert caplog.text.count("could not be ended") == 2


def test_after_the_end_coroutines_are_refused_and_closed(background, run):
    run(name_of_thread)
    background._end()
    with pytest.raises(RuntimeError, match="The process is ending"):
        run(name_of_thread)


NO_LATE_THREADS = pytest.mark.xfail(
    (3, 12) <= sys.version_info < (3, 12, 2), reason="starts no threads once the main one has ended (gh-113964)"
)


class TestExit:
    """The end of a process, in a process."""

    @NO_LATE_THREADS
    def test_is_quiet_and_finishes_tasks(self):
        output = run_script("""
            import asyncio
            from flaskctx import Flask

            app = Flask("app")
            tasks = []

            @app.get("/")
            async def index():
                async def work():
                    await asyncio.sleep(0.1)
                    print(await asyncio.to_thread(lambda: "finished"))

                tasks.append(asyncio.create_task(work()))
                return "started"

            print(app.test_client().get("/").text)
        """)
        assert output.split() == ["started", "finished"]

    def test_without_the_hook_of_threading_atexit_is_used(self):
        """The hook is private: a Python without it still drains, though executors are closed by then."""
        output = run_script("""
            import threading
            import concurrent.futures.thread
            del threading._register_atexit

            import asyncio
            from contextvars import copy_context
            from flaskctx.bridge import portal

            async def start():
                asyncio.create_task(work())

            async def work():
                await asyncio.sleep(0.1)
                print("finished")

            portal.wait_for(start(), copy_context())
        """)
        assert output.split() == ["finished"]

    def test_threads_that_are_still_waited_for_may_go_on_using_the_loop(self):
        """Executors are joined after the drain; what runs in them is not left waiting for a loop that has ended."""
        output = run_script("""
            import asyncio, time
            from concurrent.futures import ThreadPoolExecutor
            from contextvars import copy_context
            from flaskctx.bridge import portal

            async def work(text):
                await asyncio.sleep(0)
                print(text)

            def request():
                portal.wait_for(work("before"), copy_context())
                time.sleep(0.3)
                portal.wait_for(work("after"), copy_context())

            ThreadPoolExecutor().submit(request)
            time.sleep(0.1)
        """)
        assert output.split() == ["before", "after"]

    @NO_LATE_THREADS
    def test_a_loop_may_start_that_late(self):
        output = run_script("""
            import asyncio, time
            from concurrent.futures import ThreadPoolExecutor
            from contextvars import copy_context
            from flaskctx.bridge import portal

            async def work():
                print("late")

            def request():
                time.sleep(0.2)
                portal.wait_for(work(), copy_context())

            ThreadPoolExecutor().submit(request)
        """)
        assert output.split() == ["late"]


class TestNativeThreadExecutor:
    def test_returns_results_and_exceptions(self):
        executor = NativeThreadExecutor()
        assert executor.submit(pow, 2, exp=3).result(5) == 8
        assert isinstance(executor.submit(int, "x").exception(5), ValueError)

    def test_a_cancelled_call_is_not_made(self, monkeypatch):
        started = []
        monkeypatch.setattr(portal_module, "start_native_thread", lambda target, name: started.append(target))
        called = []
        future = NativeThreadExecutor().submit(called.append, 1)
        future.cancel()
        started[0]()
        assert called == []

    async def test_a_loop_takes_it_as_its_default(self):
        asyncio.get_running_loop().set_default_executor(NativeThreadExecutor())
        assert await asyncio.to_thread(lambda: "done") == "done"


def test_a_native_thread_is_a_daemon_with_a_name():
    seen = []
    done = threading.Event()

    def look():
        seen.append((threading.current_thread().name, threading.current_thread().daemon))
        done.set()

    start_native_thread(look, "some-name")
    assert done.wait(5)
    assert seen == [("some-name", True)]


def test_under_gevent_threads_are_native_and_leave_no_hub_behind():
    output = run_script("""
        import gevent.monkey
        gevent.monkey.patch_all()
        import gc, gevent, os, time
        from flaskctx import Flask, run_in_thread

        app = Flask("app")

        @app.get("/")
        async def index():
            await run_in_thread(time.sleep, 0.001)  # patched: it makes a hub in the thread that it runs in
            return "ok"

        def files():
            return len(os.listdir("/proc/self/fd"))

        get = app.test_client().get
        assert get("/").text == "ok"
        before = files()
        greenlets = [gevent.spawn(lambda: [get("/").text for _ in range(5)]) for _ in range(10)]
        gevent.joinall(greenlets, raise_error=True)
        time.sleep(0.2)
        gc.collect()
        print("left" if files() > before + 3 else "nothing left")
    """)
    assert "nothing left" in output
    assert "Traceback" not in output


def test_errors_of_tasks_are_logged_by_the_loop(background, run, caplog):
    async def fail():
        raise LookupError("nobody asked")

    with caplog.at_level(logging.ERROR, "asyncio"):
        task = start_task(background, run, fail)
        background.drain(1)
        del task
        run(name_of_thread)
    assert "nobody asked" in caplog.text
