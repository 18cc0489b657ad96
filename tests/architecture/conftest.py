"""The package's source, parsed once, for the tests that read it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "flaskctx"


@dataclass
class Module:
    """One file of the package; `name` is its dotted name below `flaskctx` (a package's is that of its `__init__`)."""

    path: str
    name: str
    text: str
    tree: ast.Module
    is_package: bool

    def imports(self, with_type_checking=False):
        """Iterate `(line, name)` of what it imports; names inside the package are dotted names below `flaskctx`."""
        for node in statements(self.tree, with_type_checking):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom):
                if not node.level:
                    yield node.lineno, node.module
                    continue
                parts = self.name.split(".") if self.name else []
                up = node.level - self.is_package
                base = parts[: len(parts) - up] if up else parts
                if node.module:
                    base = base + node.module.split(".")
                for alias in node.names:
                    yield node.lineno, "flaskctx:" + ".".join([*base, alias.name])


def statements(tree, with_type_checking):
    """Iterate all nodes, without those below `if TYPE_CHECKING:` unless they are wanted."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not with_type_checking:
            for child in node.orelse:
                yield child
                yield from statements(child, with_type_checking)
            continue
        yield node
        yield from statements(node, with_type_checking)


@pytest.fixture(scope="session")
def modules():
    """All modules of the package by dotted name; that of the package itself is the empty string."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        text = path.read_text()
        found[name] = Module(path.relative_to(PACKAGE).as_posix(), name, text, ast.parse(text), is_package)
    return found


@pytest.fixture(scope="session")
def graph(modules):
    """Which module imports which at run time: dotted name to dotted names."""
    graph = {}
    for name, module in modules.items():
        graph[name] = targets = set()
        for _, imported in module.imports():
            if imported.startswith("flaskctx:"):
                target = imported.removeprefix("flaskctx:")
                if target not in modules:
                    target = target.rpartition(".")[0]
                assert target in modules, f"{name} imports {imported}, which isn't there"
                targets.add(target)
    return graph
