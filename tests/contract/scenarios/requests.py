"""What a request brings along: data, limits, hosts, JSON."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid

from ..recording import passing
from ..scenario import each, scenario

JSON = {"content_type": "application/json"}
BODIES = [
    ("POST /", {"data": {"a": "1", "b": ["2", "3"]}}),
    ("POST /", {"json": {"a": [1, None, "ü"]}}),
    ("POST /", {"data": b"raw \xff"}),
    ("POST /", {"data": "", **JSON}),
    ("POST /", {"data": "{", **JSON}),
    ("POST /", {"data": "null", "content_type": "application/problem+json"}),
    ("POST /", {"data": "a=1", "content_type": "application/x-www-form-urlencoded"}),
    ("POST /", {"data": "nonsense", "content_type": "multipart/form-data; boundary=x"}),
    ("PUT /?q=1", {"data": "a=1"}),
    ("POST /", {}),
]
READERS = {
    "form": lambda r: r.form.to_dict(flat=False),
    "files": lambda r: {name: [file.filename, file.read().decode()] for name, file in r.files.items()},
    "values": lambda r: r.values.to_dict(flat=False),
    "data": lambda r: repr(r.data),
    "get_data then form": lambda r: [repr(r.get_data())[:2], r.form.to_dict()],
    "form then data": lambda r: [r.form.to_dict(), repr(r.data)],
    "stream": lambda r: repr(r.stream.read()[:5]),
    "json": lambda r: [r.json],
    "get_json": lambda r: [r.get_json()],
    "get_json, silent": lambda r: [r.get_json(silent=True)],
    "get_json, forced": lambda r: [r.get_json(force=True)],
    "is_json": lambda r: [r.is_json, r.mimetype, r.content_length],
    "nothing": lambda r: "nothing",
}


@each(READERS, *BODIES)
def bodies(framework, app, log, read):
    app.before_request(log.on("before"))
    app.route("/", methods=["POST", "PUT"])(log.on("view", lambda: read(framework.request)))
    app.teardown_request(log.on("teardown"))


MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="name.txt"\r\n\r\ncontent\r\n--x--\r\n'
)
UPLOAD = {"data": MULTIPART, "content_type": "multipart/form-data; boundary=x"}


@each(READERS, ("POST /", UPLOAD))
def uploads(framework, app, log, read):
    app.post("/")(log.on("view", lambda: read(framework.request)))
    app.teardown_request(log.on("teardown"))


LIMITS = {
    "none": {},
    "length": {"MAX_CONTENT_LENGTH": 100},
    "form memory": {"MAX_FORM_MEMORY_SIZE": 10},
    "form parts": {"MAX_FORM_PARTS": 1},
    "length, testing": {"MAX_CONTENT_LENGTH": 100, "TESTING": True},
    "length, trapping": {"MAX_CONTENT_LENGTH": 100, "TRAP_HTTP_EXCEPTIONS": True},
}


@each(
    LIMITS,
    ("POST /form", {"data": {"a": "x" * 200}}), ("POST /form", {"data": {"a": "x"}}),
    ("POST /form", {**UPLOAD, "data": MULTIPART.replace(b"\r\n1\r\n", b"\r\n" + b"1" * 50 + b"\r\n")}),
    ("POST /data", {"data": "x" * 200}), ("POST /data", {"data": "x"}), ("POST /json", {"json": "x" * 200}),
)  # fmt: skip
def limits(framework, app, log, config):
    request = framework.request
    app.config.update(config)
    app.before_request(log.on("before"))
    app.post("/form")(log.on("form", lambda: request.form.to_dict()))
    app.post("/data")(log.on("data", lambda: f"{len(request.data)}"))
    app.post("/json")(log.on("json", lambda: f"{len(request.json)}"))
    app.register_error_handler(413, log.on("handler", lambda error: ("too large", 413)))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown"))


@scenario(("POST /", {"data": "x" * 50}), ("POST /", {"data": "x" * 500}))
def a_limit_set_by_a_hook(framework, app, log):
    def before():
        framework.request.max_content_length = 100

    app.config["MAX_CONTENT_LENGTH"] = 10
    app.before_request(log.on("before", before))
    app.post("/")(log.on("view", lambda: f"{len(framework.request.data)}"))


HOSTS = ["localhost", "example.com", "a.example.com", "evil.com", "example.com:8080", "EXAMPLE.com"]


@each(
    {"one": ["example.com"], "with subdomains": [".example.com"], "none": None, "empty": []},
    *(("GET /", {"base_url": f"http://{host}/"}) for host in HOSTS),
)
def trusted_hosts(framework, app, log, hosts):
    app.config["TRUSTED_HOSTS"] = hosts
    app.before_request(log.on("before"))
    app.url_value_preprocessor(log.on_def("values"))
    app.get("/")(log.on("view", lambda: framework.request.host))
    app.register_error_handler(400, log.on("handler", lambda error: ("refused", 400)))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown"))


@scenario(("GET /", {"headers": {"Host": "bad host"}}), ("GET /", {"headers": {"Host": "a/b"}}))
def hosts_that_are_none(framework, app, log):
    app.get("/")(log.on("view", lambda: framework.request.url))


@scenario(("GET /", {"headers": {"X-A": "1", "Cookie": "a=1; b=2; a=3", "Accept": "text/html;q=0.5, */*"}}))
def headers_and_cookies(framework, app, log):
    def view():
        request = framework.request
        accepts = [request.accept_mimetypes.best, request.accept_mimetypes.quality("text/html")]
        return {"cookies": request.cookies.to_dict(flat=False), "x": request.headers["X-A"], "accept": accepts}

    app.get("/")(log.on("view", view))


@scenario("GET /set", "GET /read", "GET /delete", "GET /read")
def cookies(framework, app, log):
    def change(name, **options):
        response = framework.make_response("changed")
        getattr(response, f"{name}_cookie")("a", **options)
        return response

    app.get("/set")(log.on("set", lambda: change("set", value="1 ü", max_age=60, samesite="Lax", httponly=True)))
    app.get("/delete")(log.on("delete", lambda: change("delete")))
    app.get("/read")(log.on("read", lambda: framework.request.cookies.to_dict()))


class Point:
    """What no JSON provider knows by itself."""

    def __html__(self):
        return "<point>"


DUMPED = {
    "order of keys": {"b": 1, "a": 2},
    "date": datetime.date(2020, 1, 2),
    "datetime": datetime.datetime(2020, 1, 2, 3, 4, 5),
    "decimal": decimal.Decimal("1.50"),
    "uuid": uuid.UUID(int=7),
    "markup": Point(),
    "unicode": "ü\u2028",
    "set": {1},
    "infinity": float("inf"),
    "keys that are no text": {1: "a", None: "b"},
    "mixed keys": {1: "a", "b": 2},
}


@each(DUMPED, "GET /", "GET /debug")
def jsonify(framework, app, log, value):
    app.get("/")(log.on("view", lambda: framework.jsonify(value)))
    app.get("/debug")(log.on("debug", lambda: framework.json.dumps(value, indent=2)))


PROVIDER = {
    "unsorted": ("sort_keys", False),
    "unicode": ("ensure_ascii", False),
    "not compact": ("compact", False),
    "mimetype": ("mimetype", "application/x-own"),
}


@each(PROVIDER, "GET /")
def settings_of_the_json_provider(framework, app, log, row):
    setattr(app.json, *row)
    app.get("/")(log.on("view", lambda: {"b": "ü", "a": [1]}))


@scenario("GET /", ("POST /", {"data": '{"a": 1}', **JSON}))
def a_json_provider_of_ones_own(framework, app, log):
    class Provider(framework.json.provider.JSONProvider):
        def dumps(self, obj, **kwargs):
            log("dumps", obj)
            return json.dumps(["own", obj])

        def loads(self, s, **kwargs):
            log("loads", s)
            return {"own": True}

    app.secret_key = None
    app.json = Provider(app)
    app.get("/")(log.on("view", lambda: {"a": 1}))
    app.post("/")(log.on("post", lambda: framework.request.json))


@scenario("GET /set", "GET /read")
def sessions_are_written_by_the_applications_json_provider(framework, app, log):
    class Provider(framework.json.provider.DefaultJSONProvider):
        def dumps(self, obj, **kwargs):
            return super().dumps({**obj, "dumped": 1} if obj else obj, **kwargs)

        def loads(self, s, **kwargs):
            return {**super().loads(s, **kwargs), "loaded": 1}

    app.json = Provider(app)
    app.get("/set")(log.on("set", lambda: framework.session.update(a=1) or "set"))
    app.get("/read")(log.on("read", lambda: str(sorted(framework.session.items()))))


@scenario("GET /", "POST /")
def classes_of_ones_own(framework, app, log):
    class Request(framework.Request):
        @property
        def shout(self):
            return self.path.upper() + "!"

        def on_json_loading_failed(self, error):
            log("json failed", error is None)
            return "instead"

    class Response(framework.Response):
        default_mimetype = "text/x-own"
        default_status = 202

    app.request_class, app.response_class = Request, Response
    app.get("/")(log.on("view", lambda: framework.request.shout))
    app.post("/")(log.on("post", lambda: [framework.request.get_json()]))
