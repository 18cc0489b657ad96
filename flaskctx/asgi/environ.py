"""From an ASGI scope to a WSGI environ (PEP 3333)."""

from __future__ import annotations

import multiprocessing
import sys
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

from .body import NO_BODY

if TYPE_CHECKING:
    from .types import Scope

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Header name to environ key. Header names are few and recur; strangers' inventions don't get to fill memory.
_keys: dict[bytes, str | None] = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
_KEYS_LIMIT = 500


def build_environ(scope: Scope) -> dict[str, Any]:
    """Return the environ of an HTTP request; `wsgi.input` is the caller's to add where there is a body."""
    try:
        taken = _take(scope)
    except KeyError:
        taken = _take({**_OPTIONAL, **scope})
    method, path, raw_path, query_string, script_name, scheme, http_version, server, client, headers = taken
    if script_name or not path.isascii():
        script_name, path = _below_root(script_name, path, raw_path)
    environ = _USUAL.copy()
    environ["REQUEST_METHOD"] = method
    environ["PATH_INFO"] = path
    environ["asgi.scope"] = scope
    environ["wsgi.errors"] = sys.stderr
    if script_name:
        environ["SCRIPT_NAME"] = script_name
    if query_string:
        environ["QUERY_STRING"] = query_string.decode("latin-1")
    if scheme != "http" or http_version != "1.1":
        environ["wsgi.url_scheme"] = scheme
        environ["SERVER_PORT"] = _DEFAULT_PORTS.get(scheme, "80")
        environ["SERVER_PROTOCOL"] = f"HTTP/{http_version}"
    if server:
        environ["SERVER_NAME"], port = server
        if port is not None:
            environ["SERVER_PORT"] = f"{port}"
    if client:
        environ["REMOTE_ADDR"], port = client
        environ["REMOTE_PORT"] = f"{port}"
    else:
        del environ["REMOTE_ADDR"], environ["REMOTE_PORT"]
    _add_headers(environ, headers)
    if "flaskctx.environ" in scope:
        # what a test has put into the environ of its request
        environ.update(scope["flaskctx.environ"])
    return environ


def _add_headers(environ: dict[str, Any], headers: Any) -> None:
    for name, value in headers:
        key = _keys.get(name) or _key_for(name)
        if key is None:
            continue
        text = value.decode("latin-1")
        if key in environ:
            # RFC 9110, section 5.3: a list; RFC 6265, section 5.4: a cookie header has its own separator
            separator = "; " if key == "HTTP_COOKIE" else ","
            text = environ[key] + separator + text
        environ[key] = text


def _key_for(name: bytes) -> str | None:
    """Return the environ key for a header name; None for names with `_`, which would pose as their `-` twins."""
    key = None if b"_" in name else _keys.get(name.lower(), "")
    if key == "":
        key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
    if len(_keys) < _KEYS_LIMIT:
        _keys[name] = key
    return key


def below(root_path: str, path: str) -> str:
    """Cut `root_path` off a path, at a segment's boundary only: `/apiary` is not below `/api`."""
    if path == root_path:
        return ""
    if path.startswith(root_path) and path[len(root_path)] == "/":
        return path[len(root_path) :]
    return path


def _below_root(root_path: str, path: str, raw_path: bytes | None) -> tuple[str, str]:
    """Return `SCRIPT_NAME` and `PATH_INFO`."""
    root_path = root_path.rstrip("/")
    path = below(root_path, path) if root_path else path
    script_name = as_latin1(root_path)
    if not path.isascii():
        if raw_path is not None and _REPLACEMENT in path:
            return script_name, _exact_path(path, raw_path, script_name)
        path = as_latin1(path)
    return script_name, path


def _exact_path(path: str, raw_path: bytes, script_name: str) -> str:
    """Return the bytes of a path that isn't UTF-8, if `raw_path` is this path's (middleware may have changed one)."""
    full = raw_path.partition(b"?")[0]
    exact = unquote_to_bytes(full).decode("latin-1")
    if script_name:
        exact = below(script_name, exact)
    same = unquote(full.decode("latin-1")).endswith(path)
    return exact if same else as_latin1(path)


def as_latin1(text: str) -> str:
    """Disguise text as PEP 3333 wants it: the characters are the bytes of its UTF-8 form."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}


_usual: dict[str, Any] = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "",
    "QUERY_STRING": "",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "",
    "REMOTE_PORT": "",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": None,
    "wsgi.input": NO_BODY,
    "wsgi.multithread": True,
    "wsgi.multiprocess": multiprocessing.parent_process() is not None,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
    "asgi.scope": {},
}


def _roomy(items: dict[str, Any]) -> dict[str, Any]:
    """Return a dict whose copies have room for the headers, so that they needn't grow in each request."""
    # text like the other keys: a dict with any other kind of key is a slower one for good
    room = [f"room {number}" for number in range(8)]
    roomy = {**items, **dict.fromkeys(room)}
    for key in room:
        del roomy[key]
    return roomy


_USUAL = _roomy(_usual)
"""The environ of a request, as far as most requests agree in it."""

_take = itemgetter(
    "method", "path", "raw_path", "query_string", "root_path", "scheme", "http_version", "server", "client",
    "headers",
)  # fmt: skip
_OPTIONAL: dict[str, Any] = {
    "raw_path": None, "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
    "server": None, "client": None, "headers": (),
}  # fmt: skip
"""What a scope may leave out, with the defaults of the ASGI specification."""
