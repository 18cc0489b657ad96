"""An application that knows Flask only; `python -m flaskctx.compat` serves it."""

from __future__ import annotations

import flask
from flask.views import MethodView

app = flask.Flask(__name__, static_folder=None)


@app.get("/ready")
def ready():
    return "ready"


@app.get("/def/who")
def who():
    return flask.jsonify(flask=flask.__name__, view=MethodView.__module__, path=flask.request.path)


@app.get("/async/who")
async def who_async():
    return flask.jsonify(flask=flask.__name__, view=MethodView.__module__, path=flask.request.path)
