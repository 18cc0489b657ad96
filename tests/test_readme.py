"""README.md and the other documents say what is so."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import flask
import pytest

from flaskctx import Flask

from .servers.serving import RunningServer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = [
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/*.md", "examples/*/*.md", "tests/*/*.md")
    for path in sorted(ROOT.glob(pattern))
]
PORT_OPTIONS = {"gunicorn": "--no-control-socket -b 127.0.0.1:{}", "hypercorn": "-b 127.0.0.1:{}"}


def blocks(language):
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [text for named, text in found if named == language]


def table_of_servers():
    rows = re.findall(
        r"^\| .* \| (`.*`) \|$", README.partition("| server | command |")[2].partition("\n\n")[0], re.MULTILINE
    )
    return [command for row in rows for command in re.findall("`([^`]+)`", row)]


def commands_of(block):
    return [line.partition("#")[0].strip() for line in block.splitlines()]


FIRST, *_ = blocks("")
WITH_EXTENSIONS = next(block for block in blocks("") if "FLASKCTX_AS_FLASK" in block)
DEVELOPMENT = re.search("`(flaskctx --app hello run --debug)`", README)[1]
COMMANDS = list(dict.fromkeys([*commands_of(FIRST), *table_of_servers(), DEVELOPMENT, f"{DEVELOPMENT} --asgi"]))


def arguments(command, port):
    """Return a command as it is run here: the programs of this environment, on a free port."""
    words = shlex.split(command)
    variables = [word for word in words if word.partition("=")[0].isupper()]
    program, *rest = words[len(variables) :]
    served_by = rest[3] if rest[:2] == ["-m", "flaskctx.compat"] else program
    port_option = PORT_OPTIONS.get(served_by, "--port {}").format(port)
    return ["env", *variables, str(Path(sys.executable).parent / program), *rest, *port_option.split()]


@pytest.fixture
def serve(tmp_path):
    """Start a command of README.md in a folder that has its first example as hello.py; stopped at the end."""
    started = []

    def start(command, example):
        (tmp_path / "hello.py").write_text(example)
        kind = SimpleNamespace(arguments=lambda module, port: arguments(command, port))
        server = RunningServer(kind, "hello", tmp_path, ready="/", home=tmp_path)
        started.append(server)
        server.wait_until_ready()
        return server

    yield start
    for server in started:
        server.terminate()
        server.kill()


@pytest.mark.servers
@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_serve_its_first_example(serve, command):
    example = blocks("python")[0]
    if "trio" in command:
        example = example.replace("asyncio", "anyio")  # as it says below the commands
    server = serve(command, example)
    assert server.get("/?name=you").text == "Hello, you!"
    assert server.get("/later").json == {"hello": "world"}


@pytest.mark.servers
@pytest.mark.parametrize("command", commands_of(WITH_EXTENSIONS))
def test_its_commands_serve_what_imports_flask(serve, command):
    server = serve(command, blocks("python")[0].replace("from flaskctx", "from flask"))
    assert server.get("/later").json == {"hello": "world"}


def test_all_of_its_commands_are_found():
    assert len(COMMANDS) == 9
    assert len(commands_of(WITH_EXTENSIONS)) == 2


def test_its_example_is_the_one_that_is_tested():
    example = (ROOT / "examples/hello/app.py").read_text()
    assert example.endswith(blocks("python")[0])


def test_ci_runs_its_command_for_the_tests():
    serve, test = blocks("sh")
    assert "uvicorn examples.tour.app:app.asgi" in serve
    assert test in (ROOT / ".ci/run").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_the_links_of_documents_lead_somewhere(document):
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / document).read_text())
    assert [link for link in links if "://" not in link and not (ROOT / document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_the_files_that_documents_name_exist(document):
    named = re.findall(r"`((?:docs|tests|examples|benchmarks|flaskctx)/[\w./-]*)`", (ROOT / document).read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_examples_it_names_are_those_that_exist():
    folders = {path.parent.name for path in ROOT.glob("examples/*/app.py")}
    assert {name for name in folders if f"`{name}`" in README} == folders


def test_the_table_of_settings_has_all_that_flask_has_not_with_their_defaults():
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| (\S+)", (ROOT / "docs/serving.md").read_text(), re.MULTILINE))
    own = {name: str(value) for name, value in Flask.default_config.items() if name not in flask.Flask.default_config}
    assert table == own | {"ENV": "`FLASK_ENV`"}
