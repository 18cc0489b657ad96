"""Imports run downwards only, without circles, and none hides in a function."""

from __future__ import annotations

import ast
import sys

import pytest

LAYERS = [
    # From the bottom up. A module may import from lower layers, and from its own package.
    {"local"},
    {"globals", "unchanged"},
    {"signals", "config", "typing", "debughelpers", "environment", "json", "logging", "bridge"},
    {"websockets"},
    {"ctx", "sessions", "wrappers", "concurrency", "command_group"},
    {"helpers", "lifecycle", "views"},
    {"templating", "instance", "development", "routes", "serving"},
    {"urls", "scaffold", "wsgi"},
    {"blueprints", "asgi"},
    {"testing"},
    {"app"},
    {"cli", "compat", "_compat", "sansio", "devtools"},
    {"", "__main__"},
]

RANKS = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}

STANDARD_LIBRARY_ONLY = {"local"}


def top(name):
    return name.partition(".")[0]


def test_every_module_has_its_layer(modules):
    missing = {top(name) for name in modules} - RANKS.keys()
    assert not missing, f"Give {missing} a layer in LAYERS: above all that it imports, below all that imports it."


def test_they_run_downwards(graph):
    upwards = [
        f"{name} imports {target}"
        for name, targets in graph.items()
        for target in targets
        if top(name) != top(target) and RANKS[top(name)] <= RANKS[top(target)]
    ]
    assert upwards == []


def test_nothing_below_imports_the_package_itself(graph):
    assert [name for name, targets in graph.items() if "" in targets and top(name) != "__main__"] == []


def test_modules_make_no_circle(graph):
    done, path = set(), []

    def visit(name):
        assert name not in path, f"a circle: {path[path.index(name) :] + [name]}"
        if name not in done:
            path.append(name)
            for target in graph[name]:
                # an __init__ and its own parts: the parts don't import it, or this is a circle
                visit(target)
            path.pop()
            done.add(name)

    for name in graph:
        visit(name)


def test_none_is_inside_a_function(modules):
    hidden = [
        f"{module.path}:{inner.lineno}"
        for module in modules.values()
        for function in ast.walk(module.tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for inner in ast.walk(function)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    ]
    assert hidden == []


def test_the_lowest_layer_needs_the_standard_library_only(modules):
    foreign = [
        f"{module.path}:{line} {name}"
        for module in modules.values()
        if top(module.name) in STANDARD_LIBRARY_ONLY
        for line, name in module.imports()
        if not name.startswith("flaskctx:") and top(name) not in sys.stdlib_module_names
    ]
    assert foreign == []


@pytest.mark.parametrize("name", ["asyncio", "anyio", "trio", "threading", "concurrent", "gevent", "greenlet"])
def test_the_lifecycle_knows_no_concurrency(modules, name):
    users = [
        f"{module.path}:{line}"
        for module in modules.values()
        if top(module.name) == "lifecycle"
        for line, imported in module.imports(with_type_checking=True)
        if top(imported) == name
    ]
    assert users == []


def test_serving_imports_nothing_that_only_an_extra_or_development_brings(modules):
    optional = {"uvicorn", "gunicorn", "gevent", "trio", "httpx", "dotenv", "flask", "quart", "pytest", "hypothesis"}
    users = [
        f"{module.path}:{line} {imported}"
        for module in modules.values()
        for line, imported in module.imports()
        if top(imported) in optional and not _is_guarded(module, line)
    ]
    assert users == []


def _is_guarded(module, line):
    """Whether an import stands in a `try` that catches its absence."""
    return any(
        node.lineno <= line <= node.body[-1].end_lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Try) and any("ImportError" in ast.unparse(h) for h in node.handlers)
    )
