"""README.md says what is so."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_its_example_is_the_one_that_is_tested():
    example = (ROOT / "examples/hello/app.py").read_text()
    assert example.endswith(blocks("python")[0])


def test_ci_runs_its_command_for_the_tests():
    serve, test = blocks("sh")
    assert "uvicorn examples.tour.app:app.asgi" in serve
    assert test in (ROOT / ".ci/run").read_text()


def test_its_links_lead_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_examples_it_names_are_those_that_exist():
    folders = {path.parent.name for path in ROOT.glob("examples/*/app.py")}
    assert {name for name in folders if f"`{name}`" in README} == folders
