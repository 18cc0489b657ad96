"""Pools of database connections for asyncio: PostgreSQL through psycopg, SQLite through aiosqlite.

Under gevent use PostgreSQL: the threads in which aiosqlite blocks are greenlets there, and hold up the event loop.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

try:
    from psycopg_pool import AsyncConnectionPool
except ImportError:  # pip install "psycopg[binary,pool]"
    AsyncConnectionPool = None
try:
    import aiosqlite
except ImportError:  # pip install aiosqlite
    aiosqlite = None


@asynccontextmanager
async def open_pool(url, schema, size=4):
    """Open a pool and close it at the end of the block; `async with pool.connection()` then borrows a connection.

    :param url: "postgresql://..." or "sqlite:///" and the path of a file.
    :param schema: a statement that is executed first, such as "CREATE TABLE IF NOT EXISTS ...".
    """
    if url.startswith("postgresql:"):
        if AsyncConnectionPool is None:
            raise RuntimeError('PostgreSQL needs psycopg: pip install "psycopg[binary,pool]"')
        async with AsyncConnectionPool(url, min_size=1, max_size=size, open=False) as pool:
            async with pool.connection() as connection:
                # of processes that start together each finds no table, and all but one would fail to create it
                await connection.execute("SELECT pg_advisory_xact_lock(1)")
                await connection.execute(schema)
            yield pool
        return
    if aiosqlite is None:
        raise RuntimeError("SQLite needs aiosqlite: pip install aiosqlite")
    pool = SQLitePool(url.removeprefix("sqlite:///"))
    try:
        await pool.open(size)
        async with pool.connection() as connection:
            await connection.execute(schema)
        yield pool
    finally:
        await pool.close()


class SQLitePool:
    """As much of a pool as SQLite needs: its connections are handed round in a queue."""

    def __init__(self, path):
        self._path = path
        self._connections = []
        self._free = asyncio.Queue()

    async def open(self, size):
        for _ in range(size):
            # each statement is a transaction of its own; who finds the file locked waits
            connection = await aiosqlite.connect(self._path, isolation_level=None, timeout=10)
            self._connections.append(connection)
            self._free.put_nowait(connection)

    @asynccontextmanager
    async def connection(self):
        connection = await self._free.get()
        try:
            yield connection
        finally:
            self._free.put_nowait(connection)

    async def close(self):
        for connection in self._connections:
            await connection.close()
