"""From an ASGI scope to a WSGI environ (PEP 3333)."""

from __future__ import annotations

import multiprocessing
import sys
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

if TYPE_CHECKING:
    from .types import Scope

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Header name to environ key. Header names are few and recur; strangers' inventions don't get to fill memory.
_keys: dict[bytes, str | None] = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
_KEYS_LIMIT = 500


def build_environ(scope: Scope) -> dict[str, Any]:
    """Return the environ of an HTTP request; `wsgi.input` is the caller's to add."""
    try:
        taken = _take(scope)
    except KeyError:
        taken = _take({**_OPTIONAL, **scope})
    method, path, raw_path, query_string, script_name, scheme, http_version, server, client, headers = taken
    if script_name:
        script_name = script_name.rstrip("/")
        path = below(script_name, path)
        script_name = as_latin1(script_name)
    if not path.isascii():
        if raw_path is not None and _REPLACEMENT in path:
            path = _exact_path(path, raw_path, script_name or "")
        else:
            path = as_latin1(path)
    host, port = server or ("localhost", None)
    environ: dict[str, Any] = {
        **_ALWAYS,
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": script_name or "",
        "PATH_INFO": path,
        "QUERY_STRING": query_string.decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": _DEFAULT_PORTS.get(scheme, "80") if port is None else str(port),
        "SERVER_PROTOCOL": "HTTP/" + http_version,
        "wsgi.url_scheme": scheme,
        "wsgi.errors": sys.stderr,
        "asgi.scope": scope,
    }
    if client:
        environ["REMOTE_ADDR"] = client[0]
        environ["REMOTE_PORT"] = str(client[1])
    _add_headers(environ, headers)
    if "flaskctx.environ" in scope:
        # what a test has put into the environ of its request
        environ.update(scope["flaskctx.environ"])
    return environ


def _add_headers(environ: dict[str, Any], headers: Any) -> None:
    for name, value in headers:
        try:
            key = _keys[name]
        except KeyError:
            key = _key_for(name)
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

_ALWAYS = {
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": multiprocessing.parent_process() is not None,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}

_take = itemgetter(
    "method", "path", "raw_path", "query_string", "root_path", "scheme", "http_version", "server", "client",
    "headers",
)  # fmt: skip
_OPTIONAL: dict[str, Any] = {
    "raw_path": None, "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
    "server": None, "client": None, "headers": (),
}  # fmt: skip
"""What a scope may leave out, with the defaults of the ASGI specification."""
