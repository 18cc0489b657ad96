"""examples/upload, in this process and in a browser."""

import hashlib
import io

import pytest

DATA = bytes(range(256)) * 1000


@pytest.fixture
def app(load):
    return load("examples.upload.app").app


@pytest.fixture(params=["def", "async"])
def path(request):
    return f"/{request.param}"


def test_files_are_hashed_and_fields_returned(server, path):
    form = {"note": "hello", "file": (io.BytesIO(DATA), "../large.bin")}
    told = server.request("POST", path, data=form).json
    assert told["fields"] == {"note": "hello"}
    (file,) = told["files"]
    assert file.pop("chunks") > 1
    assert file == {
        "name": "large.bin",
        "type": "application/octet-stream",
        "size": len(DATA),
        "sha256": hashlib.sha256(DATA).hexdigest(),
    }


def test_more_than_the_limit_is_refused(app, server, path):
    app.config["MAX_CONTENT_LENGTH"] = 1000
    answer = server.request("POST", path, data={"file": (io.BytesIO(DATA), "large.bin")})
    assert (answer.status_code, answer.json) == (413, {"error": "That is more than this server takes."})


def test_what_is_no_form_is_refused(server, path):
    answer = server.request("POST", path, data=b"--x", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert (answer.status_code, answer.json) == (400, {"error": "The body is not a whole multipart form."})


def test_in_a_browser(serve, browser, tmp_path, path):
    example = serve("examples.upload.app")
    file = tmp_path / "large.bin"
    file.write_bytes(DATA * 40)
    browser.open(f"http://127.0.0.1:{example.port}/")
    browser.choose_file("[type=file]", file)
    browser.click(f"#{path[1:]}")
    browser.wait_for("document.querySelector('#state').innerText.startsWith('Done')")
    assert browser.text("#state") == "Done. The note: hello"
    assert browser.evaluate("document.querySelector('progress').value") == 1
    assert f"{len(DATA) * 40} bytes" in browser.text("tbody")
    assert hashlib.sha256(file.read_bytes()).hexdigest() in browser.text("tbody")
    assert browser.complaints == []
