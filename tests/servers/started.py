"""An application with a start and an end, both noted in the journal."""

from __future__ import annotations

import asyncio
import os
import sys
import time

import anyio
from journal import note

from flaskctx import Flask, after_response, jsonify

app = Flask(__name__, static_folder=None)


class Pool:
    """Stands for a pool of connections: it belongs to the loop it was opened on, and has an endless task of its own."""

    def __init__(self):
        self.opened_in = os.getpid()
        self.work = asyncio.get_running_loop().create_task(asyncio.sleep(3600)) if is_asyncio() else None

    def close(self):
        if self.work is not None:
            self.work.cancel()


def is_asyncio():
    return asyncio._get_running_loop() is not None


def where():
    return id(asyncio.get_running_loop() if is_asyncio() else sys.modules["trio"].lowlevel.current_trio_token())


@app.before_serving
def open_in_def():
    note("def-start", os.getpid())


@app.while_serving
async def pool():
    await anyio.sleep(0.05)
    app.pool, app.pool_loop = Pool(), where()
    note("start", os.getpid())
    yield
    await anyio.sleep(0.01)
    app.pool.close()
    note("end", os.getpid())


@app.after_serving
def close_in_def():
    note("def-end", os.getpid())


@app.get("/ready")
def ready():
    return "ready"


@app.get("/pool")
async def show():
    await anyio.sleep(0)
    pool = app.pool
    return jsonify(pid=os.getpid(), pool=id(pool), opened_in=pool.opened_in, same_loop=app.pool_loop == where())


@app.get("/background/<key>")
def background(key):
    async def later():
        await anyio.sleep(0.5)
        note("async-task", key)

    def later_in_def():
        time.sleep(0.5)
        note("def-task", key)

    app.add_background_task(later)
    app.add_background_task(later_in_def)
    after_response(note, "after", key)
    return ""


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
