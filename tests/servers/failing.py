"""An application whose responses fail when a part of them has been sent, and one whose teardowns do."""

from __future__ import annotations

import os
import time

import anyio

from flaskctx import Blueprint, Flask, Response

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


untidy = Blueprint("untidy", __name__, url_prefix="/untidy")


@untidy.get("/def")
def answer():
    response = Response("all is well", headers={"X-View": "well"})
    response.set_cookie("well", "yes")
    return response


@untidy.get("/async")
async def async_answer():
    return answer()


@untidy.teardown_request
def fail(error):
    raise LookupError("the teardown")


app.register_blueprint(untidy)


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
