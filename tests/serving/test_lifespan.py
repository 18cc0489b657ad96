"""before_serving, after_serving, while_serving and lifespan=: their order, their failures, their homes."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager, contextmanager, nullcontext

import anyio
import pytest

from flaskctx import Blueprint, Flask, current_app, g


def register_all(app, colour, seen):
    """Register a function of each sort, of one kind, that notes its turn."""
    app.before_serving(colour(lambda: seen.append("before 1")))
    app.before_serving(colour(lambda: seen.append("before 2")))
    app.after_serving(colour(lambda: seen.append("after 1")))
    app.after_serving(colour(lambda: seen.append("after 2")))
    for number in (1, 2):
        app.while_serving(generator(colour, seen, f"while {number}"))


def generator(colour, seen, name):
    """Return a generator function of a kind, which notes its begin and end."""
    if not colour.is_async:

        def around():
            seen.append(f"{name} begins")
            yield
            seen.append(f"{name} ends")

        return around

    async def around_async():
        await anyio.sleep(0)
        seen.append(f"{name} begins")
        yield
        await anyio.sleep(0)
        seen.append(f"{name} ends")

    return around_async


def manager_of(colour, seen, name):
    """Return a function of the application, for `lifespan=`, that makes a context manager of a kind."""
    make = generator(colour, seen, name)
    return (asynccontextmanager if colour.is_async else contextmanager)(lambda app: make())


def test_all_of_it_runs_in_order_and_back(app, within, colour):
    seen = []
    register_all(app, colour, seen)
    app._serving.lifespan = manager_of(colour, seen, "lifespan")
    within(lambda: seen.append("serving"))
    assert seen == [
        *["before 1", "before 2", "while 1 begins", "while 2 begins", "lifespan begins"],
        "serving",
        *["lifespan ends", "while 2 ends", "while 1 ends", "after 2", "after 1"],
    ]


def test_a_blueprint_has_functions_for_it_too(app, within, colour):
    seen = []
    blueprint = Blueprint("blueprint", __name__)
    blueprint.before_app_serving(colour(lambda: seen.append("before")))
    blueprint.after_app_serving(colour(lambda: seen.append("after")))
    blueprint.while_app_serving(generator(colour, seen, "while"))
    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="again")
    within(lambda: seen.append("serving"))
    assert seen == ["before", "while begins", "serving", "while ends", "after"]


def test_the_lifespan_is_given_the_application(colour):
    given = []

    @asynccontextmanager
    async def lifespan(app):
        given.append(app)
        yield

    app = Flask("app", lifespan=lifespan)
    with app.serving() as served:
        assert served is app
    assert given == [app]


def test_one_application_context_surrounds_it(app, within, colour):
    seen = []

    @app.before_serving
    @colour
    def open_it():
        g.pool = current_app.name

    app.after_serving(colour(lambda: seen.append(g.pool)))
    app.teardown_appcontext(colour(lambda error: seen.append("teardown")))
    within()
    assert seen == ["app", "teardown"]


def test_one_task_enters_and_leaves_it(app, within):
    """Cancel scopes and task groups belong to the task that has entered them."""
    seen = []

    async def work():
        seen.append("work")
        await anyio.sleep_forever()

    @app.while_serving
    async def around():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            await anyio.sleep(0.01)
            yield
            tasks.cancel_scope.cancel()

    within()
    assert seen == ["work"]


def test_def_functions_run_in_a_thread(app, within):
    threads = []
    app.before_serving(lambda: threads.append(threading.current_thread()))

    @app.before_serving
    async def on_loop():
        threads.append(threading.current_thread())

    within()
    assert threads[0] is not threads[1]


@pytest.mark.parametrize("sort", ["before", "while", "lifespan"])
def test_a_start_that_fails_is_undone_and_says_why(app, within, colour, sort, caplog):
    seen = []

    def fail(*args):
        raise LookupError("no database")

    async def fail_async(*args):
        fail()
        yield

    app.while_serving(generator(colour, seen, "outer"))
    if sort == "before":
        app.before_serving(colour(fail))
    elif sort == "while":
        app.while_serving(fail_async)
    else:
        app._serving.lifespan = fail
    app.after_serving(colour(lambda: seen.append("after")))
    with pytest.raises(RuntimeError, match="could not be started: LookupError"):
        within(lambda: seen.append("serving"))
    assert [event for event in seen if event in ("serving", "after")] == []
    assert "no database" in caplog.text
    assert "LookupError" in caplog.text


@pytest.mark.parametrize("way_out", [SystemExit("no database"), asyncio.CancelledError("no database")], ids=repr)
def test_a_start_that_wants_to_end_the_process_has_failed_like_any_other(app, within, colour, way_out, caplog):
    def leave():
        raise way_out

    app.before_serving(colour(leave))
    with pytest.raises(RuntimeError, match="could not be started"):
        within()
    assert "no database" in caplog.text


def test_what_was_entered_hears_of_the_failure(app, within):
    heard = []

    @app.while_serving
    def around():
        try:
            yield
        except LookupError as error:
            heard.append(error)
            raise

    @app.while_serving
    async def fail():
        raise LookupError
        yield

    with pytest.raises(RuntimeError):
        within()
    assert len(heard) == 1


def test_at_the_end_everything_runs_and_the_first_failure_is_raised(app, within, colour, caplog):
    seen = []

    def fail():
        raise LookupError("after 1")

    app.after_serving(colour(lambda: seen.append("last")))
    app.after_serving(colour(fail))

    @app.while_serving
    def around():
        yield
        raise ValueError("the pool can't be closed")

    with pytest.raises(ValueError, match="the pool"):
        within()
    assert seen == ["last"]
    assert "after 1" in caplog.text
    assert "the pool can't be closed" in caplog.text


def test_an_end_that_takes_too_long_is_cut_off(app, within, caplog):
    app.config["SHUTDOWN_TIMEOUT"] = 0.05
    seen = []
    app.before_serving(lambda: None)

    @app.while_serving
    async def around():
        yield
        try:
            await anyio.sleep_forever()
        finally:
            seen.append("cut off")

    with pytest.raises(TimeoutError, match="SHUTDOWN_TIMEOUT"):
        within()
    assert seen == ["cut off"]
    assert "was cut off" in caplog.text


def test_blocks_may_overlap(app, within):
    seen = []
    app.before_serving(lambda: seen.append("before"))
    app.after_serving(lambda: seen.append("after"))

    async def main():
        async with app.serving(), app.async_test_client() as client, app.serving():
            await client.get("/")
        seen.append("outside")

    anyio.run(main)
    assert seen == ["before", "after", "outside"]


def test_after_its_end_it_may_be_started_again(app, within):
    seen = []
    app.before_serving(lambda: seen.append("before"))
    within()
    within()
    assert seen == ["before", "before"]


def test_nothing_registered_is_nothing_to_do(app, within):
    within()
    assert app._serving.runs == {}


@pytest.mark.parametrize("wrong", [lambda: None, asyncio.sleep, contextmanager(lambda: iter([None]))])
def test_while_serving_wants_a_generator_function(app, wrong):
    with pytest.raises(TypeError, match="takes a generator function"):
        app.while_serving(wrong)


def test_lifespan_wants_a_context_manager(within, app):
    app._serving_functions().lifespan = lambda app: 42
    with pytest.raises(RuntimeError, match="could not be started: TypeError"):
        within()


@pytest.mark.parametrize("wrong", [42, nullcontext()])
def test_lifespan_wants_a_function(wrong):
    with pytest.raises(TypeError, match="lifespan= takes a function"):
        Flask("app", lifespan=wrong)


async def test_with_on_a_running_loop_names_the_awaitable_form(app):
    with pytest.raises(RuntimeError, match="async with app"), app.serving():
        pass


def test_they_are_registered_before_the_first_request(app, server):
    server.get("/")
    for register in (app.before_serving, app.after_serving, app.while_serving):
        with pytest.raises(AssertionError, match="had begun to handle requests"):
            register(lambda: None)


async def test_the_lifespan_protocol_reports_failures(app):
    @app.before_serving
    async def fail():
        raise LookupError("no database")

    with pytest.raises(RuntimeError, match="startup failed: 'app' could not be started: LookupError"):
        async with app.async_test_client():
            pass


async def test_the_lifespan_protocol_reports_failures_of_the_end(app):
    @app.after_serving
    async def fail():
        raise LookupError("no database")

    with pytest.raises(RuntimeError, match="shutdown failed: LookupError"):
        async with app.async_test_client():
            pass
