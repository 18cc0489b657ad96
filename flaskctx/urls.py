"""URLs: the algorithms behind the application's `url_for`, `create_url_adapter` and their two hooks.

They are functions that take the application; `Flask` has a short method for each, which is what callers use
and what subclasses override.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.routing import BuildError, Map, MapAdapter, Rule
from werkzeug.wsgi import get_host

from .globals import _app_ctx_stack, _request_ctx_stack
from .routes import FlaskMap

if TYPE_CHECKING:
    from .app import Flask
    from .wrappers import Request

# RFC 3986, section 3.5: what a fragment may hold unescaped, and "%" because callers may have escaped already
_FRAGMENT_SAFE = "%!#$&'()*+,/:;=?@"

# A host that werkzeug takes as it is: lower-case ASCII labels, a port in its shortest form. Whatever else a
# client sends (upper case, IPv6, underscores, IDNA, nonsense) is werkzeug's to clean up or refuse.
_PLAIN_HOST = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?", re.ASCII)
_STANDARD_PORTS = (":80", ":443")

# as they were at import: a tool that patches Map later gets werkzeug's way and thereby its own
_BIND = Map.bind
_BIND_TO_ENVIRON = Map.bind_to_environ


def url_for(
    app: Flask,
    endpoint: str,
    /,
    *,
    _anchor: str | None = None,
    _method: str | None = None,
    _scheme: str | None = None,
    _external: bool | None = None,
    **values: Any,
) -> str:
    """Build the URL of `endpoint`.

    In a request of `app` the URL is relative to the host and an endpoint that starts with a dot belongs to
    the request's blueprint. Elsewhere the URL is absolute and made from `SERVER_NAME`, `APPLICATION_ROOT` and
    `PREFERRED_URL_SCHEME`.

    :param _anchor: the fragment, put behind `#` and escaped.
    :param _method: build the rule that serves this HTTP method.
    :param _scheme: the scheme of the absolute URL; an empty one gives `//host/path`.
    :param _external: whether the URL names scheme and host; None: outside requests, or with a scheme.
    :param values: the rule's variables; those the rule doesn't know become the query string.
    :raises BuildError: no rule fits and no handler of build errors knew better.
    :raises RuntimeError: there is no request and `SERVER_NAME` isn't set.
    :raises ValueError: `_scheme` together with `_external=False`.
    """
    context = _request_ctx_stack.top
    if context is not None and context.app is app and context.url_adapter is not None:
        adapter = context.url_adapter
        external_by_default = _scheme is not None
        if endpoint[:1] == ".":
            blueprint = context.request.blueprint
            endpoint = endpoint[1:] if blueprint is None else blueprint + endpoint
    else:
        adapter = _adapter_outside_request(app, endpoint)
        external_by_default = True

    if _external is None:
        _external = external_by_default
    elif _scheme is not None and not _external:
        raise ValueError(
            f"url_for({endpoint!r}) was given _scheme={_scheme!r} and _external=False, but only an absolute"
            " URL has a scheme. Leave out _external, or pass _external=True."
        )

    app.inject_url_defaults(endpoint, values)
    try:
        url = adapter.build(endpoint, values, method=_method, url_scheme=_scheme, force_external=_external)
    except BuildError as error:
        values.update(_anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external)
        return app.handle_url_build_error(error, endpoint, values)
    except Exception as error:
        # a converter's; it knows nothing of the endpoint
        error.add_note(f"This was raised while url_for({endpoint!r}) built the URL from the values {list(values)}.")
        raise
    return url if _anchor is None else f"{url}#{quote(_anchor, safe=_FRAGMENT_SAFE)}"


def _adapter_outside_request(app: Flask, endpoint: str) -> MapAdapter:
    """Return the adapter of the current application context, or a new one when it is another application's.

    A request whose host was refused has no adapter either and comes here, so that an error page can have
    links as soon as `SERVER_NAME` is set.
    """
    context = _app_ctx_stack.top
    if context is not None and context.app is app:
        adapter = context.url_adapter
    else:
        adapter = app.create_url_adapter(None)
    if adapter is None:
        raise RuntimeError(
            f"url_for({endpoint!r}) doesn't know the host: there is no active request of {app.name!r} with a"
            " valid host, and SERVER_NAME isn't configured. Build the URL while a request is handled, or set"
            " SERVER_NAME, and APPLICATION_ROOT and PREFERRED_URL_SCHEME where the defaults '/' and 'http'"
            " don't fit, before the application context is pushed."
        )
    return adapter


def inject_url_defaults(app: Flask, endpoint: str, values: dict[str, Any]) -> None:
    """Let the `url_defaults` functions add values: the app's, then the blueprints', outermost first."""
    registered = app.url_default_functions
    if not registered:
        return
    for function in registered.get(None, ()):
        app.ensure_sync(function)(endpoint, values)
    end = endpoint.find(".")
    while end >= 0:
        for function in registered.get(endpoint[:end], ()):
            app.ensure_sync(function)(endpoint, values)
        end = endpoint.find(".", end + 1)


def handle_url_build_error(app: Flask, error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
    """Ask the `url_build_error_handlers`, in order, for a URL; without an answer raise the last BuildError.

    A handler answers with a string, passes with None, and may raise a BuildError of its own, which the next
    handler is then given.
    """
    latest = error
    for handler in app.url_build_error_handlers:
        try:
            url: str | None = app.ensure_sync(handler)(latest, endpoint, values)
        except BuildError as raised:
            latest = raised
        else:
            if url is not None:
                return url
    raise latest


def create_url_adapter(app: Flask, request: Request | None) -> MapAdapter | None:
    """Bind the URL map to a request, or, for an application context, to the configured server name.

    With a request, `TRUSTED_HOSTS` is checked here. `SERVER_NAME` says which part of the host is the
    subdomain (with `subdomain_matching`) and what absolute URLs start with; it doesn't restrict requests.

    :returns: None without a request and without `SERVER_NAME`: there is nothing to bind to.
    :raises SecurityError: (400) the host isn't among `TRUSTED_HOSTS`, or isn't a valid host.
    """
    config = app.config
    url_map = app.url_map
    server_name: str | None = config["SERVER_NAME"]
    if request is None:
        if server_name is None:
            return None
        return url_map.bind(
            server_name, script_name=config["APPLICATION_ROOT"], url_scheme=config["PREFERRED_URL_SCHEME"]
        )

    environ = request.environ
    trusted_hosts = config["TRUSTED_HOSTS"]
    if trusted_hosts is not None:
        request.trusted_hosts = trusted_hosts
    if request.trusted_hosts:
        get_host(environ, request.trusted_hosts)

    if url_map.host_matching:
        # with a server name the map would match against that instead of the request's host
        return url_map.bind_to_environ(environ)
    if app.subdomain_matching:
        return url_map.bind_to_environ(environ, server_name=server_name)
    subdomain = url_map.default_subdomain or ""
    adapter = _bind_plain(url_map, environ, server_name, subdomain)
    if adapter is None:
        adapter = url_map.bind_to_environ(environ, server_name=server_name, subdomain=subdomain)
    return adapter


# an application is reached by few names; strangers' inventions push one another out
@lru_cache(128)
def _is_plain_host(host: str) -> bool:
    return _PLAIN_HOST.fullmatch(host) is not None


def quick_rule(app: Flask, request: Request) -> Rule | None:
    """Return the rule of an ordinary request to a URL without variables; None: bind the map and match.

    Ordinary: the host needs no cleaning up and no check, and says nothing about the rule.
    """
    url_map: Any = app.url_map
    if type(url_map) is not FlaskMap:
        return None
    rules = url_map.plain_rules.get(request.path)
    if rules is None:
        return None
    environ = request.environ
    host = environ.get("HTTP_HOST")
    if (
        host is None
        or not _is_plain_host(host)
        or "HTTP_UPGRADE" in environ
        or not environ["PATH_INFO"]
        or request.trusted_hosts
        or app.config["TRUSTED_HOSTS"] is not None
        or app.subdomain_matching
        or url_map.host_matching
        or FlaskMap.bind_to_environ is not _BIND_TO_ENVIRON
    ):
        return None
    rule: Rule | None = rules.get(request.method)
    return rule


def _bind_plain(url_map: Map, environ: dict[str, Any], server_name: str | None, subdomain: str) -> MapAdapter | None:
    """Do what `url_map.bind_to_environ` does, for the ordinary request, at a third of its price.

    :returns: None whenever werkzeug's own way is needed: an overridden map, an upgrade, a host to clean up.
    """
    kind = type(url_map)
    if kind.bind_to_environ is not _BIND_TO_ENVIRON or kind.bind is not _BIND:
        return None
    own = url_map.__dict__
    if "bind_to_environ" in own or "bind" in own or "HTTP_UPGRADE" in environ:
        return None
    host = environ.get("HTTP_HOST")
    if host is None or not _is_plain_host(host) or host.endswith(_STANDARD_PORTS):
        return None
    if server_name is not None:
        if not _is_plain_host(server_name) or server_name.endswith(_STANDARD_PORTS):
            return None
        host = server_name
    scheme = environ["wsgi.url_scheme"]
    script_name = _decoded(environ.get("SCRIPT_NAME", "/"))
    path = _decoded(environ.get("PATH_INFO", "/"))
    query = _decoded(environ["QUERY_STRING"]) if "QUERY_STRING" in environ else None
    return MapAdapter(url_map, host, script_name, subdomain, scheme, path, environ["REQUEST_METHOD"], query)


def _decoded(text: str) -> str:
    """Decode an environ value: PEP 3333 has its bytes as Latin-1 characters, they are meant as UTF-8."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")
