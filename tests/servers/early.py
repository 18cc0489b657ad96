"""An application that runs coroutines at import: under `gunicorn --preload` in the parent, before the fork."""

from __future__ import annotations

import asyncio
import os

from flaskctx import Flask, jsonify

app = Flask(__name__, static_folder=None)


async def prepare():
    await asyncio.sleep(0)
    return os.getpid(), id(asyncio.get_running_loop())


with app.app_context():
    prepared_by, early_loop = app.ensure_sync(prepare)()


@app.get("/ready")
def ready():
    return "ready"


@app.get("/async/loop")
async def loop():
    await asyncio.sleep(0.05)
    return jsonify(pid=os.getpid(), prepared_by=prepared_by, anew=id(asyncio.get_running_loop()) != early_loop)
