"""Configuration: where values come from, and which attributes they are."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from unittest import mock

from ..scenario import each
from ..transcripts import FILES


class Settings:
    """What `from_object` reads."""

    A = 1
    b = "lower case"

    @property
    def C(self):
        return "computed"


ENVIRONMENT = {"FLASK_A": "1", "FLASK_B": "text", "FLASK_C__D": "[1]", "FLASK_C__E": "true", "OTHER_A": "2"}


@contextmanager
def environment():
    with mock.patch.dict(os.environ, ENVIRONMENT):
        yield


SOURCES = {
    "mapping": lambda config: config.from_mapping({"A": 1, "b": 2}, C=3, d=4),
    "object": lambda config: config.from_object(Settings()),
    "class": lambda config: config.from_object(Settings),
    "import name": lambda config: config.from_object(f"{__name__}.Settings"),
    "wrong import name": lambda config: config.from_object("no.such.module"),
    "file": lambda config: config.from_pyfile("settings.py"),
    "no file": lambda config: config.from_pyfile("nowhere.py"),
    "no file, silent": lambda config: config.from_pyfile("nowhere.py", silent=True),
    "broken file": lambda config: config.from_pyfile("templates/hello.html"),
    "json": lambda config: config.from_file("settings.json", load=json.load),
    "no json, silent": lambda config: config.from_file("nowhere.json", load=json.load, silent=True),
    "prefixed": lambda config: config.from_prefixed_env(),
    "other prefix": lambda config: config.from_prefixed_env("OTHER"),
    "loads": lambda config: config.from_prefixed_env(loads=str.upper),
    "variable": lambda config: config.from_envvar("NO_SUCH_VARIABLE"),
    "variable, silent": lambda config: config.from_envvar("NO_SUCH_VARIABLE", silent=True),
}


@each(SOURCES)
def sources(framework, app, log, load):
    before = dict(app.config)
    with environment():
        try:
            log("returned", load(app.config))
        except Exception as error:
            log("raised", error)
    log("changed", {key: value for key, value in app.config.items() if key not in before or before[key] != value})


@each({"default": {}, "lower case": {"lowercase": False}, "whole": {"trim_namespace": False}})
def namespaces(framework, app, log, options):
    app.config.update(STORE_TYPE="fs", STORE_PATH="/tmp", STORED=1, store_other=2)
    log("namespace", app.config.get_namespace("STORE_", **options))


ATTRIBUTES = ["debug", "testing", "secret_key", "permanent_session_lifetime"]


@each({name: name for name in ATTRIBUTES})
def attributes(framework, app, log, name):
    log("default", str(getattr(app, name)), str(app.config.get(name.upper())))
    app.config[name.upper()] = True
    log("configured", str(getattr(app, name)))
    setattr(app, name, False)
    log("set", str(app.config[name.upper()]), str(FILES.name in app.config.root_path))
