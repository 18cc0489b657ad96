"""An application whose start fails."""

from __future__ import annotations

import os

from flaskctx import Flask

app = Flask(__name__, static_folder=None)


@app.before_serving
async def start():
    raise LookupError("no database at secret-host")


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
