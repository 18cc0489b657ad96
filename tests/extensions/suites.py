"""The table of suites, suites.toml, as objects."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Suite:
    """One extension's own tests; README.md says what each field means."""

    name: str
    sdist: str
    requires: list[str]
    minimum: int
    tests: list[str] = field(default_factory=lambda: ["tests"])
    options: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    prelude: str | None = None
    fault: str | None = None
    deselected: dict[str, str] = field(default_factory=dict)
    differing: dict[str, str] = field(default_factory=dict)

    @property
    def distribution(self) -> str:
        """The name of the distribution, without its version."""
        return self.sdist.partition("==")[0]


def read_suites() -> dict[str, Suite]:
    """Return the suites by name, in the order of the table."""
    table = tomllib.loads((HERE / "suites.toml").read_text())
    common: list[str] = table.pop("common")
    return {name: Suite(name=name, **{**entry, "requires": with_common(entry, common)}) for name, entry in table.items()}


def with_common(entry: dict[str, Any], common: list[str]) -> list[str]:
    """Return what a suite requires: the common requirements, except for what it asks for in another version."""
    own: list[str] = entry.get("requires", [])
    return own + [requirement for requirement in common if project(requirement) not in map(project, own)]


def project(requirement: str) -> str:
    """Return the project's name in a requirement such as `flask[async]==3.1.3`."""
    return re.split(r"[^\w.-]", requirement)[0].lower()
