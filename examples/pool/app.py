"""An async database pool, opened when the process starts to serve and closed at its end: under WSGI and ASGI.

    gunicorn --workers 2 examples.pool.app:app
    uvicorn examples.pool.app:app.asgi

DATABASE_URL names the database: `postgresql://...` or `sqlite:///visits.sqlite` (the default). The latter needs
`pip install aiosqlite`, the former `pip install "psycopg[binary,pool]"`.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager

from examples.pool.pools import open_pool
from flaskctx import Flask, jsonify

URL = os.environ.get("DATABASE_URL", "sqlite:///visits.sqlite")
SCHEMA = "CREATE TABLE IF NOT EXISTS visits (path TEXT PRIMARY KEY, number INTEGER)"


@asynccontextmanager
async def lifespan(app):
    async with open_pool(URL, SCHEMA) as pool:
        app.extensions["pool"] = pool
        yield
        app.logger.info("The pool is closed.")


app = Flask(__name__, static_folder=None, lifespan=lifespan)

COUNT = """
    INSERT INTO visits (path, number) VALUES ({mark}, 1)
    ON CONFLICT (path) DO UPDATE SET number = visits.number + 1 RETURNING number
""".format(mark="%s" if URL.startswith("postgresql:") else "?")


@app.get("/")
async def index():
    return "Visit any other path, and it is counted.\n"


@app.get("/<path:path>")
async def visit(path):
    """Count a visit. Requests that wait for the database don't keep others waiting."""
    pool = app.extensions["pool"]
    async with pool.connection() as connection:
        cursor = await connection.execute(COUNT, [path[:200]])
        (number,) = await cursor.fetchone()
    return jsonify(path=path, visits=number, process=os.getpid(), pool=id(pool))
