"""A form that is too large for memory: parsed while it arrives, its files written once, `request.form` as ever."""

from __future__ import annotations

import tempfile

import pytest
import werkzeug.formparser

from flaskctx import Request, request

from .conftest import END, part_of

FILE = bytes(range(256)) * 8000
BODY = part_of("a", "ä".encode()) + part_of("b", FILE, "b.bin") + part_of("b", b"small", "c.bin") + END


@pytest.fixture
def on_disk(monkeypatch):
    """Note every temporary file that is made, of whatever kind."""
    made = []

    def noting(make):
        def note(*args, **kwargs):
            made.append(make(*args, **kwargs))
            return made[-1]

        return note

    monkeypatch.setattr(tempfile, "TemporaryFile", noting(tempfile.TemporaryFile))
    return made


@pytest.fixture(params=[True, False], ids=["declared", "chunked"])
def declared(request):
    return request.param


def test_form_and_files_are_those_of_a_small_one(client, app, colour, declared):
    def index():
        files = [[file.filename, len(file.read()), file.name] for file in request.files.getlist("b")]
        assert type(request.form) is request.parameter_storage_class
        return [request.form, request.files["b"].filename, files, request.data.decode()]

    app.post("/")(colour(index))
    answer = client.post(BODY, declared=declared)
    assert answer.json == [{"a": "ä"}, "b.bin", [["b.bin", len(FILE), "b"], ["c.bin", 5, "b"]], ""]


def test_the_content_is_that_of_the_file(client, app, colour):
    app.post("/")(colour(lambda: request.files["b"].read()))
    assert client.post(BODY).data == FILE


def test_one_temporary_file_holds_a_large_file(client, app, colour, on_disk):
    """The large one of this form; the few kilobytes before it was known to be large were not kept."""
    app.post("/")(colour(lambda: str(len(request.files))))
    assert client.post(BODY).text == "1"
    sizes = [size for size in map(size_of, on_disk) if size > 600_000]
    assert len(sizes) <= 1


def size_of(file):
    return 0 if file.closed else file.seek(0, 2)


def test_files_that_nobody_looked_at_are_closed_with_the_request(client, app, on_disk, monkeypatch):
    files = []
    take = Request._get_file_stream
    monkeypatch.setattr(Request, "_get_file_stream", lambda *args, **kw: files.append(take(*args, **kw)) or files[-1])

    @app.post("/")
    async def index():
        return ""

    client.post(BODY)
    assert len(files) == 2
    assert all(file.closed for file in files)


def test_where_it_is_stored_is_the_requests_to_say(client, app, colour, tmp_path):
    class OwnRequest(Request):
        def _get_file_stream(self, *args, **kwargs):
            return (tmp_path / "upload").open("w+b")

    app.request_class = OwnRequest
    app.post("/")(colour(lambda: str(len(request.files["b"].read()))))
    assert client.post(part_of("b", FILE, "b") + END).text == str(len(FILE))
    assert (tmp_path / "upload").read_bytes() == FILE


def test_a_parser_of_ones_own_is_used(client, app, colour):
    class OwnParser(werkzeug.formparser.FormDataParser):
        def parse(self, stream, *args, **kwargs):
            return stream, self.cls({"size": str(len(stream.read()))}), self.cls()

    class OwnRequest(Request):
        form_data_parser_class = OwnParser

    app.request_class = OwnRequest
    app.post("/")(colour(lambda: request.form["size"]))
    assert client.post(BODY).text == str(len(BODY))


def test_a_malformed_one_is_empty_as_with_werkzeug(client, app, colour):
    app.post("/")(colour(lambda: [request.form, request.files]))
    assert client.post(BODY[: -len(END)]).json == [{}, {}]


LIMITS = [
    ("max_form_memory_size", 1000, part_of("a", FILE[:1001]) + part_of("b", FILE, "b")),
    ("max_form_parts", 2, part_of("a", b"x") * 3 + part_of("b", FILE, "b")),
    ("max_content_length", 1_000_000, part_of("b", FILE, "b")),
]


@pytest.mark.parametrize(("name", "limit", "data"), LIMITS, ids=[name for name, *_ in LIMITS])
def test_a_limit_is_a_413_also_for_the_handler_that_reads_on(client, app, colour, name, limit, data):
    @app.errorhandler(413)
    def too_large(error):
        with pytest.raises(type(error)):
            request.form
        return "too large", 413

    app.post("/", **{name: limit})(colour(lambda: str(len(request.form))))
    answer = client.post(data + END, declared=False)
    assert (answer.status_code, answer.text) == (413, "too large")
    assert client.body.sent < len(data)


def test_a_truncated_one_is_a_400(client, app, colour):
    seen = []
    app.post("/")(colour(lambda: seen.append(request.form) or ""))
    assert client.post(BODY[:1_000_000], length=len(BODY)).status_code == 400
    assert seen == []


def test_it_was_not_kept_as_it_was_sent(client, app):
    """An `async def` view, which is called when all has arrived, can't have the raw bytes, and is told so."""
    errors = []
    app.errorhandler(RuntimeError)(lambda error: errors.append(str(error)) or "refused")

    @app.post("/")
    async def index():
        return request.get_data()

    assert client.post(BODY).text == "refused"
    assert errors[0].endswith("To read it as it was sent, register the route with stream=True.")


def test_a_small_one_is_kept_as_it_was_sent(client, app, colour):
    body = part_of("a", b"x") + END
    app.post("/")(colour(lambda: request.get_data()))
    assert client.post(body).data == body


def test_on_a_streaming_route_the_form_is_parsed_from_the_stream(client, app, colour, on_disk, declared):
    def index():
        return [request.form, len(request.files["b"].read())]

    async def async_index():
        await request.load_body()
        return index()

    app.post("/", stream=True)(async_index if colour.is_async else index)
    assert client.post(BODY, declared=declared).json == [{"a": "ä"}, len(FILE)]
    assert len([file for file in on_disk if size_of(file) > 600_000]) <= 1


def test_other_large_bodies_are_kept(client, app, colour):
    app.post("/")(colour(lambda: request.get_data()))
    assert client.post(FILE, "application/octet-stream").data == FILE
