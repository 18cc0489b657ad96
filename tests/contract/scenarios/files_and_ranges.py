"""Files: static ones, conditional requests, ranges, attachments."""

from __future__ import annotations

import io

from ..recording import passing
from ..scenario import each, scenario
from ..transcripts import FILES

HELLO = FILES / "static" / "hello.txt"


@scenario(
    "GET /static/hello.txt", "HEAD /static/hello.txt", "GET /static/nowhere.txt", "GET /static/../recording.py",
    "GET /static/", "POST /static/hello.txt", "GET /static/%2e%2e/templates/hello.html",
)  # fmt: skip
def static_files(framework, app, log):
    app.before_request(log.on("before", lambda: log("endpoint", framework.request.endpoint)))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown"))


@scenario("GET /in/files/own.txt", "GET /in/files/hello.txt", "GET /static/hello.txt")
def static_files_of_a_blueprint(framework, app, log):
    blueprint = framework.Blueprint("inner", "app", static_folder="inner_static", static_url_path="files")
    blueprint.root_path = app.root_path
    blueprint.static_folder = f"{FILES}/inner_static"
    blueprint.before_request(log.on("before inner"))
    app.register_blueprint(blueprint, url_prefix="/in")


@scenario("GET /assets/hello.txt", "GET /static/hello.txt")
def static_files_under_another_path(framework, app, log):
    return framework.Flask("other", root_path=str(FILES), static_folder="static", static_url_path="/assets")


AGES = {"none": None, "seconds": 3600, "function": "function"}


@each(AGES, "GET /static/hello.txt")
def how_long_files_are_kept(framework, app, log, age):
    if age == "function":
        app.get_send_file_max_age = log.on_def("max age", lambda filename: len(filename))
    else:
        app.config["SEND_FILE_MAX_AGE_DEFAULT"] = age


SENT = {
    "path": lambda f: f.send_file(HELLO),
    "path as text": lambda f: f.send_file(str(HELLO)),
    "relative to the application": lambda f: f.send_file("static/hello.txt"),
    "not there": lambda f: f.send_file("nowhere.txt"),
    "bytes": lambda f: f.send_file(io.BytesIO(b"0123456789"), "text/plain"),
    "bytes without a type": lambda f: f.send_file(io.BytesIO(b"0123456789")),
    "bytes with a name": lambda f: f.send_file(io.BytesIO(b"0123456789"), download_name="a.png"),
    "text file object": lambda f: f.send_file(io.StringIO("text"), "text/plain"),
    "attachment": lambda f: f.send_file(HELLO, as_attachment=True),
    "attachment with a name": lambda f: f.send_file(HELLO, as_attachment=True, download_name="grüße.txt"),
    "type": lambda f: f.send_file(HELLO, mimetype="application/x-own"),
    "unconditional": lambda f: f.send_file(HELLO, conditional=False),
    "without etag": lambda f: f.send_file(HELLO, etag=False),
    "with etag": lambda f: f.send_file(HELLO, etag="abc"),
    "last modified": lambda f: f.send_file(HELLO, last_modified=1_000_000_000),
    "max age": lambda f: f.send_file(HELLO, max_age=60),
    "max age function": lambda f: f.send_file(HELLO, max_age=lambda path: 61),
    "from a directory": lambda f: f.send_from_directory(FILES / "static", "hello.txt"),
    "from a relative directory": lambda f: f.send_from_directory("static", "hello.txt"),
    "from outside of a directory": lambda f: f.send_from_directory("static", "../templates/hello.html"),
    "a directory": lambda f: f.send_from_directory(FILES, "static"),
    "open file": lambda f: f.send_file(HELLO.open("rb"), download_name="hello.txt"),
    "no download name": lambda f: f.send_file(io.BytesIO(b"0"), as_attachment=True),
}

CONDITIONS = [
    ("GET /", {"headers": {"If-None-Match": '"abc"'}}),
    ("GET /", {"headers": {"If-Modified-Since": "Sun, 01 Jan 2090 00:00:00 GMT"}}),
    ("GET /", {"headers": {"If-Modified-Since": "Sun, 01 Jan 1995 00:00:00 GMT"}}),
    ("GET /", {"headers": {"Range": "bytes=1-3"}}),
    ("GET /", {"headers": {"Range": "bytes=-2"}}),
    ("GET /", {"headers": {"Range": "bytes=2-"}}),
    ("GET /", {"headers": {"Range": "bytes=100-"}}),
    ("GET /", {"headers": {"Range": "bytes=0-1,3-4"}}),
    ("GET /", {"headers": {"Range": "nonsense"}}),
    ("GET /", {"headers": {"Range": "bytes=1-3", "If-Range": '"other"'}}),
    ("HEAD /", {"headers": {"Range": "bytes=1-3"}}),
]


@each(SENT, "GET /", "HEAD /", *CONDITIONS)
def sent(framework, app, log, send):
    app.get("/")(log.on("view", lambda: send(framework)))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown"))


@scenario("GET /", *CONDITIONS)
def conditional_responses_of_a_view(framework, app, log):
    def view():
        response = framework.make_response("0123456789")
        response.add_etag()
        response.last_modified = 1_000_000_000
        return response.make_conditional(framework.request, accept_ranges=True, complete_length=10)

    app.get("/")(log.on("view", view))


@scenario("GET /", "HEAD /")
def x_sendfile(framework, app, log):
    app.config["USE_X_SENDFILE"] = True
    app.get("/")(log.on("view", lambda: framework.send_file(HELLO)))


@scenario()
def resources(framework, app, log):
    with app.open_resource("static/hello.txt") as file:
        log("bytes", file.read())
    with app.open_resource("static/hello.txt", "r") as file:
        log("text", file.read())
    try:
        app.open_resource("static/hello.txt", "w")
    except ValueError as error:
        log("raised", error)
