"""Blueprints under the name of the module that defines them in Flask."""

from __future__ import annotations

from ..blueprints import Blueprint, BlueprintSetupState, DeferredSetupFunction
from ..scaffold import Scaffold, setupmethod

__all__ = ["Blueprint", "BlueprintSetupState", "DeferredSetupFunction", "Scaffold", "setupmethod"]
