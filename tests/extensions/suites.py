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
    prelude: str | None = None
    fault: str | None = None
    differing: dict[str, str] = field(default_factory=dict)


def read_suites() -> dict[str, Suite]:
    """Return the suites by name, in the order of the table."""
    table = tomllib.loads((HERE / "suites.toml").read_text())
    common: list[str] = table.pop("common")
    return {name: Suite(name=name, **with_common(entry, common)) for name, entry in table.items()}


def with_common(entry: dict[str, Any], common: list[str]) -> dict[str, Any]:
    """Add the common requirements to a suite's entry, except for what it asks for in another version."""
    own: list[str] = entry.get("requires", [])
    theirs = {project(requirement) for requirement in own}
    return {**entry, "requires": own + [requirement for requirement in common if project(requirement) not in theirs]}


def project(requirement: str) -> str:
    """Return the project's name in a requirement such as `flask[async]==3.1.3`."""
    return re.split(r"[^\w.-]", requirement)[0].lower()
