"""`App`, as extensions name an application in their annotations: the class `Flask`."""

from __future__ import annotations

from ..app import Flask as App
from ..scaffold import Scaffold, setupmethod

__all__ = ["App", "Scaffold", "setupmethod"]
