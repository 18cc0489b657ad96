"""The smallest application: a `def` view and an `async def` view.

uvicorn examples.hello.app:app.asgi
gunicorn examples.hello.app:app
"""

import asyncio

from flaskctx import Flask, request

app = Flask(__name__)


@app.get("/")
def index():
    return f"Hello, {request.args.get('name', 'world')}!"


@app.get("/later")
async def later():
    await asyncio.sleep(0.1)
    return {"hello": request.args.get("name", "world")}
