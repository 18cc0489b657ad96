"""`request.multipart()`: the parts of a form one after the other, in `def` and `async def` views, on both protocols."""

from __future__ import annotations

import pytest
from werkzeug.exceptions import RequestEntityTooLarge

from flaskctx import request

from .conftest import END, PIECE, part_of

FILE = bytes(range(256)) * 2000


@pytest.fixture
def view(app, colour):
    """Register a view that collects name, file name, value and size of the parts."""

    def register(**options):
        seen = []

        def collect():
            for part in request.multipart():
                seen.append([part.name, part.filename, part.value, 0])
                for chunk in part:
                    assert 0 < len(chunk) <= 65536
                    seen[-1][3] += len(chunk)
            return seen

        async def async_collect():
            async for part in request.multipart():
                seen.append([part.name, part.filename, part.value, 0])
                async for chunk in part:
                    assert 0 < len(chunk) <= 65536
                    seen[-1][3] += len(chunk)
            return seen

        app.post("/", stream=True, **options)(async_collect if colour.is_async else collect)
        return seen

    return register


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
def test_fields_come_whole_and_files_in_pieces(client, view, declared):
    view()
    body = (
        part_of("a", "ä".encode()) + part_of("b", FILE, "b.bin") + part_of("c", b"") + part_of("d", b"", "empty") + END
    )
    answer = client.post(body, declared=declared)
    assert answer.json == [["a", None, "ä", 2], ["b", "b.bin", None, len(FILE)], ["c", None, "", 0],
                           ["d", "empty", None, 0]]  # fmt: skip


def test_a_form_may_be_empty(client, view):
    view()
    assert client.post(END).json == []


def test_headers_and_charset_of_a_part(client, app, colour):
    def index():
        return [[part.value, part.content_type, part.headers["X-Own"]] for part in request.multipart()]

    async def async_index():
        return [[part.value, part.content_type, part.headers["X-Own"]] async for part in request.multipart()]

    app.post("/", stream=True)(async_index if colour.is_async else index)
    headers = "Content-Type: text/plain; charset=iso-8859-1\r\nX-Own: 1\r\n"
    answer = client.post(part_of("a", b"\xe4", headers=headers) + END)
    assert answer.json == [["ä", "text/plain; charset=iso-8859-1", "1"]]


def test_what_is_not_read_of_a_file_is_skipped(client, app, colour):
    def index():
        return [[part.name, len(next(part, b""))] for part in request.multipart()]

    async def async_index():
        return [[part.name, len(await anext(part, b""))] async for part in request.multipart()]

    app.post("/", stream=True)(async_index if colour.is_async else index)
    (big, size), last = client.post(part_of("big", FILE, "big") + part_of("last", b"x") + END).json
    assert big == "big"
    assert 0 < size < len(FILE)
    assert last == ["last", 1]


def test_a_part_that_was_passed_can_not_be_read(client, app, colour):
    def index():
        first, _ = request.multipart()
        return list(first)

    async def async_index():
        first, _ = [part async for part in request.multipart()]
        return [chunk async for chunk in first]

    errors = []
    app.errorhandler(RuntimeError)(lambda error: errors.append(str(error)) or "refused")
    app.post("/", stream=True)(async_index if colour.is_async else index)
    assert client.post(part_of("a", b"x", "a") + part_of("b", b"x") + END).text == "refused"
    assert errors == ["The form is beyond <Part 'a', file 'a'>. Read a part before you ask for the next one."]


def test_no_more_is_asked_for_than_is_used(client, app, colour):
    sent = []

    def index():
        for part in request.multipart():
            sent.extend(client.body.sent for _ in part)
        return ""

    async def async_index():
        async for part in request.multipart():
            sent.extend([client.body.sent async for _ in part])
        return ""

    app.post("/", stream=True)(async_index if colour.is_async else index)
    client.post(part_of("a", FILE, "a") + END)
    assert sent[0] <= 2 * PIECE
    assert all(later - earlier <= 2 * PIECE for earlier, later in zip(sent, sent[1:], strict=False))


def test_the_boundary_may_be_cut_anywhere(client, view, monkeypatch):
    monkeypatch.setattr("tests.uploads.conftest.PIECE", 1)
    view()
    content = b"\r\n--edg\r\n--\r\n-\r\r\n\n--edge x"
    assert client.post(part_of("a", content, "a") + part_of("b", b"\r\n") + END).json == [
        ["a", "a", None, len(content)],
        ["b", None, "\r\n", 2],
    ]


# -- limits ----------------------------------------------------------------------------------------------------

LIMITS = [
    ("max_content_length", 300_000, part_of("a", FILE, "a")),
    ("max_form_memory_size", 100_000, part_of("a", bytes(100_001)) + part_of("b", FILE, "b")),
    ("max_form_parts", 2, part_of("a", b"x") * 3 + part_of("b", FILE, "b")),
]


@pytest.mark.parametrize("level", ["config", "route", "request"])
@pytest.mark.parametrize(("name", "limit", "data"), LIMITS, ids=[name for name, *_ in LIMITS])
def test_a_limit_of_any_level_is_a_413_and_the_rest_is_not_read(client, app, view, name, limit, data, level):
    if level == "config":
        app.config[name.upper()] = limit
    if level == "request":
        app.before_request(lambda: setattr(request, name, limit))
    app.errorhandler(413)(lambda error: ("too large", 413))
    view(**({name: limit} if level == "route" else {}))
    answer = client.post(data + END, declared=False)
    assert (answer.status_code, answer.text) == (413, "too large")
    assert client.body.sent < len(data)


def test_the_limit_of_a_field_is_none_of_a_file(client, app, view):
    app.config["MAX_FORM_MEMORY_SIZE"] = 1000
    view()
    assert client.post(part_of("a", bytes(1000)) + part_of("b", FILE, "b") + END).status_code == 200
    assert client.post(part_of("a", bytes(1001)) + END).status_code == 413


def test_endless_headers_of_a_part_are_a_413(client, view):
    view()
    body = part_of("a", b"", headers="X: " + "x" * 2_000_000 + "\r\n") + END
    assert client.post(body).status_code == 413
    assert client.body.sent < 1_000_000


# -- what isn't a form ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [30, 300_000])
def test_a_client_that_leaves_is_a_400(client, view, kept):
    view()
    body = part_of("a", FILE, "a") + END
    assert client.post(body[:kept], length=len(body)).status_code == 400


FIELD = part_of("a", b"x")


@pytest.mark.parametrize("body", [b"", b"what?", FIELD, FIELD + b"--edge", b"--edge\r\n\r\nx\r\n" + END])
def test_a_body_that_is_no_whole_form_is_a_400(client, view, body):
    view()
    assert client.post(body).status_code == 400


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=ä", 400),
    ],
)
def test_other_content_types_are_refused(client, view, content_type, status):
    view()
    assert client.post(b"x", content_type).status_code == status


# -- beside the other ways to read it ----------------------------------------------------------------------------


def error_of(client, app, colour, function, **options):
    """Return the message of the RuntimeError that a view raises."""
    errors = []
    app.errorhandler(RuntimeError)(lambda error: errors.append(str(error)) or "refused")
    app.post("/", **options)(colour(function))
    assert client.post(part_of("a", b"x") + END).text == "refused"
    return errors[0]


def test_the_route_needs_to_stream(client, app, colour):
    assert "stream=True" in error_of(client, app, colour, lambda: request.multipart())


def test_it_can_be_called_once(client, app, colour):
    message = error_of(client, app, colour, lambda: (request.multipart(), request.multipart()), stream=True)
    assert message.startswith("The form of this request was read already")


def test_there_is_no_form_beside_it(client, app, colour):
    message = error_of(client, app, colour, lambda: (request.multipart(), request.form), stream=True)
    assert message == "The parts of this form are read by request.multipart(): there is no request.form."


def test_an_error_handler_may_answer_a_limit_in_json(client, app, view):
    app.config["MAX_FORM_PARTS"] = 1
    app.errorhandler(RequestEntityTooLarge)(lambda error: ({"error": error.code}, 413))
    view()
    assert client.post(part_of("a", b"x") * 2 + END).json == {"error": 413}
