"""flaskctx/asgi/environ.py: the paths, the query and the headers of a scope in an environ."""

from __future__ import annotations

import io

import pytest
from werkzeug.wsgi import get_input_stream

from flaskctx.asgi.environ import build_environ


def environ_of(path="/", **scope):
    return build_environ({"type": "http", "method": "GET", "path": path, "headers": [], **scope})


@pytest.mark.parametrize(
    ("root_path", "path", "script_name", "path_info"),
    [
        ("", "/x", "", "/x"),
        ("/api", "/api/x", "/api", "/x"),
        ("/api", "/api", "/api", ""),
        ("/api/", "/api/", "/api", "/"),
        ("/api", "/apiary", "/api", "/apiary"),
        ("/api", "/x", "/api", "/x"),
        ("/\u00fc", "/\u00fc/\u00e9", "/\xc3\xbc", "/\xc3\xa9"),
    ],
)
def test_root_path_is_cut_off_at_a_segments_boundary(root_path, path, script_name, path_info):
    environ = environ_of(path, root_path=root_path)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (script_name, path_info)


@pytest.mark.parametrize(
    ("root_path", "raw_path", "path_info"),
    [
        ("", b"/%ff", "/\xff"),
        ("/api", b"/api/%ff", "/\xff"),
        ("/api", b"/apiary%ff", "/apiary\xff"),
        # changed by middleware: the raw path is another one
        ("", b"/elsewhere", "/\xef\xbf\xbd"),
    ],
)
def test_bytes_of_a_path_that_are_not_utf_8_are_taken_from_raw_path(root_path, raw_path, path_info):
    path = "/\ufffd" if raw_path == b"/elsewhere" else raw_path.decode().replace("%ff", "\ufffd")
    environ = environ_of(path, root_path=root_path, raw_path=raw_path)
    assert environ["PATH_INFO"] == path_info


def test_the_bytes_of_the_query_survive():
    assert environ_of(query_string=bytes(range(128, 256)))["QUERY_STRING"].encode("latin-1") == bytes(range(128, 256))


def test_a_header_with_an_underscore_does_not_pose_as_its_twin():
    environ = environ_of(headers=[(b"x-user", b"me"), (b"x_user", b"admin"), (b"content_length", b"1")])
    assert environ["HTTP_X_USER"] == "me"
    assert "CONTENT_LENGTH" not in environ


def test_repeated_headers_are_joined():
    headers = [(b"accept", b"text/html"), (b"accept", b"text/plain"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]
    environ = environ_of(headers=headers)
    assert environ["HTTP_ACCEPT"] == "text/html,text/plain"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"


def test_a_scope_without_its_optional_keys_is_enough():
    environ = environ_of(client=None, server=None, root_path="", raw_path=None)
    assert environ["SERVER_NAME"] == "localhost"
    assert "REMOTE_ADDR" not in environ


def test_a_body_without_declared_length_is_read_to_its_end():
    environ = environ_of(headers=[(b"transfer-encoding", b"chunked")])
    environ["wsgi.input"] = io.BytesIO(b"chunks")
    assert get_input_stream(environ).read() == b"chunks"
