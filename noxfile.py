"""The project's checks, each in a virtual environment of its own: `nox -l` lists them."""

import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


@nox.session(python=PYTHONS)
def tests(session):
    """All tests, real servers and the browser included."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def types(session):
    """mypy in strict mode, and pyright."""
    install_group(session, "types")
    session.run("mypy")
    session.run("pyright", "--pythonpath", str(Path(session.bin) / "python"))


@nox.session
def lint(session):
    """ruff's rules and its format."""
    install_group(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def servers(session):
    """Only the tests with real servers."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "tests/servers", *session.posargs)


@nox.session
def examples(session):
    """Only the tests of the examples, in a browser too."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "tests/examples", *session.posargs)


@nox.session
def extensions(session):
    """Extensions' own tests, on Flask and on flaskctx: `nox -s extensions -- Flask-Login` for one suite."""
    session.run("python", "tests/extensions/run.py", *session.posargs)


@nox.session
def bench(session):
    """Speed beside Flask, Quart and Starlette: `nox -s bench -- locals` for one table."""
    install_group(session, "bench")
    tables = session.posargs or sorted(path.stem for path in Path("benchmarks").glob("[!_]*.py"))
    for table in tables:
        session.run("python", f"benchmarks/{table}.py")


@nox.session(python=PYTHONS[0])
def min_deps(session):
    """All tests with the oldest releases that pyproject.toml allows."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    oldest = [requirement.replace(">=", "==") for requirement in project["dependencies"]]
    session.install("-e", ".[test]", *oldest)
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def soak(session):
    """Minutes of load on real servers, which may hold on to nothing."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-m", "soak", "-rA", "tests/soak", *session.posargs)


def install_group(session, group):
    """Install the package and a dependency group of pyproject.toml; pip knows groups since 25.1."""
    session.install("--upgrade", "pip>=25.1")
    session.install("-e", ".", "--group", group)
