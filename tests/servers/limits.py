"""The application of test_limits.py: views, bodies and responses that take too long; the journal tells."""

from __future__ import annotations

import os

import anyio
from journal import note, tell_of_teardowns

from flaskctx import Flask, make_response, request

app = Flask(__name__, static_folder=None)
app.config["BODY_TIMEOUT"] = 0.5
tell_of_teardowns(app)


@app.get("/too-long", timeout=0.2)
async def too_long():
    try:
        await anyio.sleep(30)
    finally:
        note("view-ended", request.args["key"])


@app.post("/body")
async def body():
    return {"size": len(request.data)}


@app.get("/unread")
async def unread():
    async def generate():
        try:
            while True:
                yield b"x" * 100_000
        finally:
            note("closed", key)

    key = request.args["key"]
    response = make_response(generate())
    response.timeout = 0.5
    return response


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
