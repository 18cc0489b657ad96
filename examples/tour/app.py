"""One page that shows what flaskctx does, the same under every server.

uvicorn examples.tour.app:app.asgi
gunicorn --threads 20 examples.tour.app:app
"""

import hashlib
import inspect
import platform
import threading
import time
from contextlib import contextmanager

import anyio

from flaskctx import Flask, g, render_template, request, session, stream_with_context

app = Flask(__name__)
app.config["SECRET_KEY"] = "known to everybody: this is an example"
app.config["MAX_CONTENT_LENGTH"] = 1024**3

PAUSE = 0.3
"""Seconds that each of the concurrent views waits."""

LINES = 24
"""Lines of a stream."""


@app.get("/")
def tour():
    views = [wait_def, wait_async, count, upload, stream_def, stream_async]
    source = {view.__name__: inspect.getsource(view).strip() for view in views}
    return render_template("tour.html", source=source, pause=PAUSE)


@app.get("/server")
def server():
    return {
        "protocol": "ASGI" if "asgi.scope" in request.environ else "WSGI",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


# -- two kinds of view, many requests at once ----------------------------------------------------------------


@app.before_request
def remember():
    g.number = request.args.get("number", type=int)
    g.began = time.time()
    g.hook_thread = threading.current_thread().name


@app.get("/wait/def")
def wait_def():
    time.sleep(PAUSE)
    return what_i_saw()


@app.get("/wait/async")
async def wait_async():
    await anyio.sleep(PAUSE)
    return what_i_saw()


def what_i_saw():
    """After the wait: are `request` and `g` still those of this request?"""
    return {
        "request": request.args.get("number", type=int),
        "g": g.number,
        "hook_thread": g.hook_thread,
        "view_thread": threading.current_thread().name,
        "began": g.began,
        "ended": time.time(),
    }


# -- a session -------------------------------------------------------------------------------------------------


@app.post("/count")
async def count():
    session["count"] = session.get("count", 0) + 1
    return {"count": session["count"]}


@app.delete("/count")
def forget():
    session.clear()
    return {"count": 0}


# -- an upload that is never in memory as a whole --------------------------------------------------------------


@app.post("/upload", stream=True)
def upload():
    digest, sizes = hashlib.sha256(), [0]
    while chunk := request.stream.read(65536):
        digest.update(chunk)
        sizes.append(len(chunk))
    return {
        "sha256": digest.hexdigest(),
        "size": sum(sizes),
        "largest_chunk": max(sizes),
    }


# -- live streams ----------------------------------------------------------------------------------------------

streams = {"finished": 0, "left": 0}
"""How many streams of this process were read to their end, and how many were left by their client."""


@app.get("/stream/def")
def stream_def():
    @stream_with_context
    def lines():
        with end_noted():
            for number in range(1, LINES + 1):
                yield line(number)
                time.sleep(0.1)

    return lines(), {"Content-Type": "text/plain"}


@app.get("/stream/async")
async def stream_async():
    @stream_with_context
    async def lines():
        with end_noted():
            for number in range(1, LINES + 1):
                yield line(number)
                await anyio.sleep(0.1)

    return lines(), {"Content-Type": "text/plain"}


def line(number):
    return f"{number} for {request.args['name']}, {threading.current_thread().name}\n"


@contextmanager
def end_noted():
    try:
        yield
    except BaseException:  # the generator is closed, or its task cancelled
        streams["left"] += 1
        raise
    streams["finished"] += 1


@app.get("/streams")
def stream_ends():
    return streams
