"""Each module says in its first line what lives there, and stays small enough to be read."""

from __future__ import annotations

import ast

import flaskctx

LINES = {"app.py": 850}
"""The most lines that a file may have; 450 where it isn't named."""


def test_the_first_line_states_the_job(modules):
    for module in modules.values():
        docstring = ast.get_docstring(module.tree)
        assert docstring, f"{module.path} has no docstring"
        first = docstring.splitlines()[0]
        assert module.text.startswith('"""'), f"{module.path} doesn't begin with its docstring"
        assert 20 <= len(first) <= 120, f"{module.path}: {first}"
        assert first[0].isupper() or first[0] in "`_", f"{module.path}: {first}"


def test_no_two_first_lines_are_the_same(modules):
    firsts = [ast.get_docstring(module.tree).splitlines()[0] for module in modules.values()]
    assert len(set(firsts)) == len(firsts)


def test_every_module_postpones_its_annotations(modules):
    without = [
        module.path
        for module in modules.values()
        if "from __future__ import annotations" not in module.text and not module.is_package
        if any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in ast.walk(module.tree))
    ]
    assert without == []


def test_files_stay_small(modules):
    large = {
        module.path: count
        for module in modules.values()
        if (count := module.text.count("\n")) > LINES.get(module.path, 450)
    }
    assert large == {}


def test_public_names_are_there_sorted():
    assert flaskctx.__all__ == sorted(flaskctx.__all__)
    assert [name for name in flaskctx.__all__ if not hasattr(flaskctx, name)] == []


def test_public_classes_and_functions_have_docstrings(modules):
    without = [
        f"{module.path}:{node.lineno} {node.name}"
        for module in modules.values()
        for node in module.tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if not node.name.startswith("_") and not ast.get_docstring(node)
        if not any("overload" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]
    assert without == []
