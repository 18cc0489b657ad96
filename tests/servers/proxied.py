"""An application behind a proxy: its `wsgi_app` is wrapped, and ASGI servers have to honour that."""

from __future__ import annotations

import anyio
from journal import note
from werkzeug.middleware.proxy_fix import ProxyFix

from flaskctx import Flask, jsonify, request, stream_with_context

app = Flask(__name__, static_folder=None)
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)


@app.before_request
async def wait():
    await anyio.sleep(0)


@app.teardown_request
async def note_teardown(error):
    await anyio.sleep(0)
    if "key" in request.args:
        note("teardown", request.args["key"])


@app.get("/ready")
def ready():
    return "ready"


@app.get("/def/client")
def client():
    return jsonify(address=request.remote_addr, url=request.url)


@app.get("/async/client")
async def async_client():
    await anyio.sleep(0.1)
    return jsonify(address=request.remote_addr, url=request.url)


@app.post("/async/echo")
async def echo():
    return request.get_data()


@app.get("/async/stream")
async def stream():
    async def generate():
        for number in range(3):
            yield f"{number}\n"
            await anyio.sleep(0.01)

    return generate()


@app.get("/async/endless")
async def endless():
    @stream_with_context
    async def generate():
        try:
            while True:
                yield request.args["key"] * 100
                await anyio.sleep(0.02)
        finally:
            note("closed", request.args["key"])

    return generate()
