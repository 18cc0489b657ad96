"""What a client can't see, for the tests to read: see `RunningServer.journal`."""

from __future__ import annotations

import os

import anyio

from flaskctx import request


def note(event, key):
    """Write a line to the file that JOURNAL names; lines of several processes don't mix in a file opened so."""
    with open(os.environ["JOURNAL"], "a") as journal:
        journal.write(f"{event} {key}\n")


def tell_of_teardowns(app):
    """Note each teardown of a request that has a key; and answer `/ready`, as a server that is asked whether it is."""

    @app.teardown_request
    async def tell(error):
        await anyio.sleep(0.01)
        if "key" in request.args:
            note("teardown", request.args["key"])

    app.get("/ready")(lambda: "ready")
