"""flaskctx/urls.py: building URLs, and binding the URL map to a request."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.exceptions import SecurityError
from werkzeug.routing import BuildError, Map, MapAdapter, Rule
from werkzeug.wrappers import Request

from flaskctx.app import Flask
from flaskctx.blueprints import Blueprint
from flaskctx.urls import _bind_plain, create_url_adapter


def view(**values):
    return ""


def make_app(kind=Flask, blueprint=Blueprint, **options):
    app = kind("urls", **options)
    app.add_url_rule("/", "index", view)
    app.add_url_rule("/page/<int:number>", "page", view)
    app.add_url_rule("/send", "send", view, methods=["POST"])
    shop = blueprint("shop", "urls", url_prefix="/shop")
    cart = blueprint("cart", "urls", url_prefix="/cart")
    shop.add_url_rule("/", "index", view)
    cart.add_url_rule("/<item>", "item", view)
    shop.register_blueprint(cart)
    app.register_blueprint(shop)
    return app


@pytest.fixture
def app():
    return make_app()


# url_for in a request


def test_a_url_in_a_request_is_relative_to_the_host(app):
    with app.test_request_context("/"):
        assert app.url_for("page", number=3) == "/page/3"


def test_values_that_the_rule_does_not_know_become_the_query_string(app):
    with app.test_request_context("/"):
        assert app.url_for("page", number=3, q="a b", l=[1, 2], none=None) == "/page/3?q=a+b&l=1&l=2"


def test_names_of_our_own_parameters_are_free_for_values(app):
    with app.test_request_context("/"):
        assert app.url_for("index", app=1, values=2, error=3) == "/?app=1&values=2&error=3"


def test_a_dot_in_front_means_the_blueprint_of_the_request(app):
    with app.test_request_context("/shop/cart/x"):
        assert app.url_for(".item", item="y") == "/shop/cart/y"


def test_a_dot_in_front_outside_a_blueprint_means_the_application(app):
    with app.test_request_context("/"):
        assert app.url_for(".index") == "/"


def test_external_urls_name_the_host_of_the_request(app):
    with app.test_request_context("/", base_url="https://example.com:8443/root"):
        assert app.url_for("index", _external=True) == "https://example.com:8443/root/"


def test_a_scheme_makes_the_url_external(app):
    with app.test_request_context("/"):
        assert app.url_for("index", _scheme="https") == "https://localhost/"


def test_an_empty_scheme_leaves_the_scheme_to_the_page(app):
    with app.test_request_context("/"):
        assert app.url_for("index", _scheme="") == "//localhost/"


def test_a_scheme_without_external_is_refused(app):
    with app.test_request_context("/"), pytest.raises(ValueError, match="pass _external=True"):
        app.url_for("index", _scheme="https", _external=False)


def test_the_anchor_is_escaped(app):
    with app.test_request_context("/"):
        assert app.url_for("index", _anchor="a b/ä?#") == "/#a%20b/%C3%A4?#"


def test_an_empty_anchor_is_an_anchor(app):
    with app.test_request_context("/"):
        assert app.url_for("index", _anchor="") == "/#"


def test_the_method_selects_the_rule(app):
    with app.test_request_context("/"):
        assert app.url_for("send", _method="POST") == "/send"
        with pytest.raises(BuildError):
            app.url_for("send", _method="DELETE")


# url_for without a request


def test_an_application_context_builds_external_urls_from_the_configuration(app):
    app.config.update(SERVER_NAME="example.com", APPLICATION_ROOT="/root", PREFERRED_URL_SCHEME="https")
    with app.app_context():
        assert app.url_for("page", number=1) == "https://example.com/root/page/1"


def test_an_application_context_builds_relative_urls_when_asked(app):
    app.config["SERVER_NAME"] = "example.com"
    with app.app_context():
        assert app.url_for("index", _external=False) == "/"


def test_no_context_is_needed_with_a_server_name(app):
    app.config["SERVER_NAME"] = "example.com"
    assert app.url_for("index") == "http://example.com/"


def test_without_request_and_server_name_the_error_says_what_to_set(app):
    with app.app_context(), pytest.raises(RuntimeError, match="SERVER_NAME"):
        app.url_for("index")


def test_a_request_of_another_application_does_not_count(app):
    other = Flask("other")
    other.config["SERVER_NAME"] = "other.example"
    other.add_url_rule("/theirs", "theirs", view)
    with app.test_request_context("/"):
        assert other.url_for("theirs") == "http://other.example/theirs"


def test_a_request_whose_host_was_refused_builds_urls_from_the_server_name(app):
    app.config.update(SERVER_NAME="example.com", TRUSTED_HOSTS=["example.com"])
    with app.test_request_context("/", headers={"Host": "evil.example"}):
        assert app.url_for("index") == "http://example.com/"


def test_a_request_whose_host_was_refused_says_what_to_set_for_urls(app):
    app.config["TRUSTED_HOSTS"] = ["example.com"]
    with app.test_request_context("/"), pytest.raises(RuntimeError, match="valid host"):
        app.url_for("index")


# Hooks


def test_url_defaults_run_from_the_application_to_the_innermost_blueprint():
    app = Flask("urls")
    order = []
    outer, inner = Blueprint("outer", "urls"), Blueprint("inner", "urls")
    for owner in (app, outer, inner):
        owner.url_defaults(lambda endpoint, values, owner=owner: order.append((owner.name, endpoint)))
    inner.add_url_rule("/", "x", view)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    with app.test_request_context("/"):
        app.url_for("outer.inner.x")
    assert order == [(name, "outer.inner.x") for name in ("urls", "outer", "inner")]


def test_url_defaults_may_change_the_values(app):
    app.url_defaults(lambda endpoint, values: values.setdefault("number", 7))
    with app.test_request_context("/"):
        assert app.url_for("page") == "/page/7"


def test_url_defaults_and_build_error_handlers_may_be_async(app):
    @app.url_defaults
    async def number(endpoint, values):
        values["number"] = 9

    async def elsewhere(error, endpoint, values):
        return f"/elsewhere/{values['number']}"

    app.url_build_error_handlers.append(elsewhere)
    with app.test_request_context("/"):
        assert app.url_for("page") == "/page/9"
        assert app.url_for("nowhere") == "/elsewhere/9"


def test_an_overridden_inject_url_defaults_is_used():
    class Custom(Flask):
        def inject_url_defaults(self, endpoint, values):
            values["number"] = 8

    with make_app(Custom).test_request_context("/") as context:
        assert context.app.url_for("page") == "/page/8"


def test_a_build_error_handler_is_given_all_values(app):
    app.url_build_error_handlers.append(lambda error, endpoint, values: f"{endpoint} {values}")
    with app.test_request_context("/"):
        assert app.url_for("nowhere", x=1, _anchor="a") == (
            "nowhere {'x': 1, '_anchor': 'a', '_method': None, '_scheme': None, '_external': False}"
        )


def test_a_build_error_handler_passes_with_none(app):
    app.url_build_error_handlers += [lambda *_: None, lambda *_: "/second"]
    with app.test_request_context("/"):
        assert app.url_for("nowhere") == "/second"


def test_without_an_answer_the_build_error_is_raised_as_it_was(app):
    app.url_build_error_handlers.append(lambda *_: None)
    with app.test_request_context("/"), pytest.raises(BuildError, match="nowhere") as caught:
        app.url_for("nowhere")
    assert caught.traceback[-1].name == "build"


def test_a_build_error_from_a_handler_replaces_the_first(app):
    seen = []

    def replace(error, endpoint, values):
        raise BuildError("replaced", values, None)

    app.url_build_error_handlers += [replace, lambda error, *_: seen.append(error.endpoint)]
    with app.test_request_context("/"), pytest.raises(BuildError, match="replaced"):
        app.url_for("nowhere")
    assert seen == ["replaced"]


# create_url_adapter


def request_for(host="example.com", path="/", kind=Request, **environ):
    return kind({**PLAIN, "HTTP_HOST": host, "PATH_INFO": path, **environ})


PLAIN = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/",
    "QUERY_STRING": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "5000",
    "wsgi.url_scheme": "http",
}


def fields(adapter):
    return {name: value for name, value in vars(adapter).items() if name != "map"}


def test_there_is_no_adapter_without_request_and_server_name(app):
    assert create_url_adapter(app, None) is None


def test_a_host_among_the_trusted_ones_is_served(app):
    app.config["TRUSTED_HOSTS"] = ["example.com", ".example.org"]
    assert create_url_adapter(app, request_for("example.com:5000")).server_name == "example.com:5000"
    assert create_url_adapter(app, request_for("deep.example.org")).server_name == "deep.example.org"


@pytest.mark.parametrize("host", ["evil.example", "example.com.evil.example", "EVIL.example", ""])
def test_a_host_not_among_the_trusted_ones_is_a_400(app, host):
    app.config["TRUSTED_HOSTS"] = ["example.com"]
    with pytest.raises(SecurityError) as caught:
        create_url_adapter(app, request_for(host))
    assert caught.value.code == 400
    assert app.test_client().get("/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(("host", "status"), [("example.com", 200), ("evil.example", 400), ("", 400)])
async def test_trusted_hosts_are_enforced_under_asgi(app, host, status):
    app.config["TRUSTED_HOSTS"] = ["example.com"]
    transport = httpx.ASGITransport(app=app.asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        assert (await client.get("/", headers={"Host": host})).status_code == status


def test_a_refused_host_reaches_the_error_handler(app):
    app.config["TRUSTED_HOSTS"] = ["example.com"]
    app.register_error_handler(400, lambda error: (type(error).__name__, 421))
    response = app.test_client().get("/", headers={"Host": "evil.example"})
    assert (response.status_code, response.text) == (421, "SecurityError")


def test_the_trusted_hosts_of_a_request_class_count_too(app):
    class Strict(Request):
        trusted_hosts = ["example.com"]

    with pytest.raises(SecurityError):
        create_url_adapter(app, request_for("evil.example", kind=Strict))


def test_the_configured_trusted_hosts_are_given_to_the_request(app):
    app.config["TRUSTED_HOSTS"] = ["example.com"]
    request = request_for()
    create_url_adapter(app, request)
    assert request.trusted_hosts == ["example.com"]
    assert request.host == "example.com"


def test_a_read_only_host_in_a_request_class_is_left_alone(app):
    class Fixed(Request):
        host = property(lambda self: "fixed.example")

    request = request_for(kind=Fixed)
    create_url_adapter(app, request)
    assert request.host == "fixed.example"


def test_the_server_name_does_not_restrict_requests(app):
    app.config["SERVER_NAME"] = "example.com"
    adapter = create_url_adapter(app, request_for("other.example"))
    assert (adapter.server_name, adapter.subdomain) == ("example.com", "")


def test_subdomains_are_matched_below_the_server_name():
    app = make_app(subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.com"
    assert create_url_adapter(app, request_for("api.example.com")).subdomain == "api"


def test_without_subdomain_matching_the_default_subdomain_is_used(app):
    app.url_map.default_subdomain = "www"
    app.config["SERVER_NAME"] = "example.com"
    assert create_url_adapter(app, request_for("api.example.com")).subdomain == "www"


def test_host_matching_goes_by_the_host_of_the_request():
    app = make_app(host_matching=True, static_host="example.com")
    app.config["SERVER_NAME"] = "example.com"
    assert create_url_adapter(app, request_for("api.example.com")).server_name == "api.example.com"


def test_a_foreign_host_with_subdomain_matching_warns_as_werkzeug_does():
    app = make_app(subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.com"
    with pytest.warns(UserWarning, match="other.example"):
        create_url_adapter(app, request_for("other.example"))


# The quick way of binding


@pytest.mark.parametrize("host", ["example.com", "localhost:5000", "127.0.0.1:65535"[:-1], "a-b.c", "1"])
def test_ordinary_hosts_take_the_quick_way(host):
    assert _bind_plain(Map(), request_for(host).environ, None, "") is not None


@pytest.mark.parametrize("name", ["bind", "bind_to_environ"])
@pytest.mark.parametrize("place", ["subclass", "instance", "Map itself"])
def test_the_quick_way_steps_aside_where_binding_is_overridden(name, place, monkeypatch):
    class Custom(Map):
        pass

    url_map = Custom()
    owner = {"subclass": Custom, "instance": url_map, "Map itself": Map}[place]
    monkeypatch.setattr(owner, name, lambda *args, **kwargs: None, raising=False)
    assert _bind_plain(url_map, request_for().environ, None, "") is None


@pytest.mark.parametrize("place", ["subclass", "instance", "Map itself"])
def test_an_overridden_bind_to_environ_makes_the_adapter(app, place, monkeypatch):
    app.url_map.__class__ = type("Custom", (Map,), {})
    owner = {"subclass": type(app.url_map), "instance": app.url_map, "Map itself": Map}[place]
    marker = MapAdapter(app.url_map, "marker", "/", "", "http", "/", "GET")
    monkeypatch.setattr(owner, "bind_to_environ", lambda *args, **kwargs: marker, raising=False)
    assert create_url_adapter(app, request_for()) is marker


def test_a_map_of_another_class_that_overrides_nothing_takes_the_quick_way():
    assert _bind_plain(type("Custom", (Map,), {})(), request_for().environ, None, "") is not None


def outcome(bind):
    """What `bind` gives: the adapter's fields or the exception, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = fields(bind())
        except Exception as error:
            result = (type(error), str(error))
    return result, [(warning.category, str(warning.message)) for warning in caught]


odd_labels = ["a" * 63, "a" * 64, "xn--e1afmkfd", "xn--é", "é"]
odd_ports = ["", ":", ":0", ":1", ":80", ":080", ":443", ":8080", ":59999", ":65535", ":99999", ":x"]
odd_hosts = ["[::1]", "[::1]:80", "a/b", "a@b", "u:x@b", " a ", "a,b", "a\nb", "a\n", "²", "a:²", "a:80:80"]

labels = st.text("abzABZ019-_.", max_size=8) | st.sampled_from(odd_labels)
plain_labels = st.text("abz019-", min_size=1, max_size=8)
plain_ports = st.sampled_from(["", ":1", ":8080", ":59999"])
ports = st.sampled_from(odd_ports)


def joined(parts, port):
    return ".".join(parts) + port


plain_hosts = st.builds(joined, st.lists(plain_labels, min_size=1, max_size=3), plain_ports)
hosts = (
    plain_hosts
    | st.builds(joined, st.lists(labels, max_size=3), ports)
    | st.sampled_from(odd_hosts)
    | st.text(max_size=6)
)
bytes_as_latin1 = st.binary(max_size=12).map(lambda raw: raw.decode("latin-1"))
odd_paths = ["", "/", "/a/b", "//a", "a", "/a/", "/é", "/\u20ac"]
paths = st.sampled_from(odd_paths) | bytes_as_latin1.map(lambda text: "/" + text)


@st.composite
def environs(draw):
    environ = {
        "REQUEST_METHOD": draw(st.sampled_from(["GET", "POST", "QUERY"])),
        "wsgi.url_scheme": draw(st.sampled_from(["http", "https", "ws", "wss", "HTTP"])),
        "SERVER_NAME": draw(st.sampled_from(["127.0.0.1", "::1", "Server", "unix:/tmp/socket"])),
        "SERVER_PORT": draw(st.sampled_from(["80", "443", "5000", ""])),
        "HTTP_HOST": draw(hosts),
        "PATH_INFO": draw(paths),
        "SCRIPT_NAME": draw(paths),
        "QUERY_STRING": draw(bytes_as_latin1 | st.sampled_from(["a=1&b=%C3%A9", "\u20ac"])),
        "HTTP_CONNECTION": draw(st.sampled_from(["Upgrade", "keep-alive", "keep-alive, upgrade"])),
    }
    if rarely(draw):
        environ["HTTP_UPGRADE"] = draw(st.sampled_from(["websocket", "WebSocket", "h2c"]))
    if rarely(draw):
        del environ[draw(st.sampled_from(sorted(environ)))]
    return environ


def rarely(draw):
    return draw(st.integers(0, 4)) == 4


server_names = st.none() | plain_hosts | st.sampled_from(["", "Example.COM:80", "a.b:443", "é.example", "a..b"]) | hosts


@given(environs(), server_names, st.sampled_from(["", "www"]))
@example({**PLAIN, "HTTP_HOST": "example.com", "PATH_INFO": "/\xc3\xa9\xff"}, None, "")
def test_the_quick_way_gives_what_bind_to_environ_gives(environ, server_name, subdomain):
    url_map = Map([Rule("/", endpoint="index")], default_subdomain=subdomain)
    app = SimpleNamespace(
        config={"TRUSTED_HOSTS": None, "SERVER_NAME": server_name}, url_map=url_map, subdomain_matching=False
    )
    request = SimpleNamespace(environ=environ, trusted_hosts=None)
    expected = outcome(lambda: url_map.bind_to_environ(environ, server_name=server_name, subdomain=subdomain))
    assert outcome(lambda: create_url_adapter(app, request)) == expected


def test_the_adapter_of_the_quick_way_matches_and_builds(app):
    adapter = create_url_adapter(app, request_for("example.com:5000", "/page/5", SCRIPT_NAME="/root"))
    assert adapter.map is app.url_map
    assert adapter.match() == ("page", {"number": 5})
    assert adapter.build("page", {"number": 6}, force_external=True) == "http://example.com:5000/root/page/6"


# The same as Flask

URL_CALLS = [
    ("index", {}),
    ("page", {"number": 1}),
    ("page", {}),
    ("page", {"number": "x"}),
    (".index", {}),
    (".item", {"item": "a/b ü"}),
    (".cart.item", {"item": "x"}),
    ("shop.index", {"_external": True}),
    ("shop.cart.item", {"item": "i", "_scheme": "https"}),
    ("index", {"_anchor": "ä b%20", "q": ["1", "2"]}),
    ("index", {"_scheme": "https", "_external": False}),
    ("index", {"_scheme": ""}),
    ("send", {"_method": "POST"}),
    ("send", {"_method": "GET"}),
    ("nowhere", {}),
    ("static", {"filename": "a b.css"}),
]


@pytest.mark.parametrize("path", ["/", "/shop/", "/shop/cart/x", "/nowhere"])
@pytest.mark.parametrize("base_url", [None, "https://example.com:8443/root", "http://EXAMPLE.com:80"])
@pytest.mark.parametrize("server_name", [None, "example.com"])
@pytest.mark.parametrize(("endpoint", "values"), URL_CALLS)
def test_url_for_answers_as_flask_does_in_a_request(path, base_url, server_name, endpoint, values):
    flask = pytest.importorskip("flask")

    def answer(app):
        app.config["SERVER_NAME"] = server_name
        with app.test_request_context(path, base_url=base_url):
            return url_or_error(app, endpoint, values)

    assert answer(make_app()) == answer(make_app(flask.Flask, flask.Blueprint))


@pytest.mark.parametrize(("endpoint", "values"), URL_CALLS)
@pytest.mark.parametrize("server_name", [None, "a.example:80"])
@pytest.mark.parametrize("root", ["/", "/root"])
def test_url_for_answers_as_flask_does_in_an_application_context(server_name, root, endpoint, values):
    flask = pytest.importorskip("flask")

    def answer(app):
        app.config.update(SERVER_NAME=server_name, APPLICATION_ROOT=root)
        with app.app_context():
            return url_or_error(app, endpoint, values)

    assert answer(make_app()) == answer(make_app(flask.Flask, flask.Blueprint))


def url_or_error(app, endpoint, values):
    try:
        return app.url_for(endpoint, **values)
    except (BuildError, RuntimeError, ValueError) as error:
        return type(error)


ADAPTER_OPTIONS = [{}, {"subdomain_matching": True}, {"host_matching": True, "static_host": "x"}]


@pytest.mark.parametrize("host", ["example.com", "Example.COM", "evil.example", "[::1]:80", "a..b", "", "é"])
@pytest.mark.parametrize("trusted", [None, [], ["example.com"], [".com"]])
@pytest.mark.parametrize("options", ADAPTER_OPTIONS)
@pytest.mark.parametrize("server_name", [None, "example.com"])
@pytest.mark.filterwarnings("ignore:Current server name")
def test_adapters_are_bound_as_flask_binds_them(host, trusted, options, server_name):
    flask = pytest.importorskip("flask")

    def answer(app):
        app.config.update(TRUSTED_HOSTS=trusted, SERVER_NAME=server_name)
        try:
            adapter = app.create_url_adapter(app.request_class({**PLAIN, "HTTP_HOST": host}))
        except SecurityError as error:
            return error.code
        except Exception as error:
            return type(error)
        return fields(adapter)

    assert answer(make_app(**options)) == answer(make_app(flask.Flask, flask.Blueprint, **options))


def test_an_error_of_a_converter_says_which_url_was_built(app):
    app.get("/user/<int:n>", endpoint="user")(lambda n: "")
    with app.test_request_context(), pytest.raises(ValueError, match="invalid literal") as raised:
        app.url_for("user", n="joe")
    assert raised.value.__notes__ == ["This was raised while url_for('user') built the URL from the values ['n']."]
