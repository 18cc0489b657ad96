"""An application whose responses fail when a part of them has been sent."""

from __future__ import annotations

import os
import time

import anyio

from flaskctx import Flask

app = Flask(__name__, static_folder=None)


class BrokenStreamError(Exception):
    """What fails."""


@app.get("/ready")
def ready():
    return "ready"


@app.get("/def/fails")
def fails():
    def chunks():
        yield "begin"
        time.sleep(0.1)
        raise BrokenStreamError

    return chunks()


@app.get("/async/fails")
async def async_fails():
    async def chunks():
        yield "begin"
        await anyio.sleep(0.1)
        raise BrokenStreamError

    return chunks()


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
