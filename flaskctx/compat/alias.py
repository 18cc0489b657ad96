"""The alias: a finder that answers `import flask` and `import flask.x` with the modules of this package.

Where `FLASKCTX_AS_FLASK` is set, Python runs this file by itself whenever an interpreter starts (flaskctx_as_flask.pth
is why). So it imports hardly anything, and the package not before a program imports `flask`.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

TYPE_CHECKING = False  # of typing, which takes longer to import than all the rest
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.metadata import Distribution, DistributionFinder
    from types import CodeType
    from typing import Any

METADATA = os.path.join(os.path.dirname(__file__), "metadata")
"""The folder with what `importlib.metadata` reads about the distribution Flask."""

IMPORTED_BY_FLASK = (
    "app", "blueprints", "cli", "config", "ctx", "globals", "helpers", "json.provider", "json.tag", "logging",
    "sansio.app", "sansio.blueprints", "sansio.scaffold", "sessions", "signals", "templating", "typing", "wrappers",
)  # fmt: skip
"""The modules that `import flask` imports. Tracing tools wait for these names to patch the modules."""


def install_as_flask() -> None:
    """Make `flask` and `flask.x` names of this package's modules in this process.

    `import flask` then gives `flaskctx`, `import flask.app` gives `flaskctx.app`: the same module objects under a
    second name, imported when they are first asked for. `importlib.metadata` answers for the distribution Flask with
    the version of Flask whose API this is, and so does `flask.__version__`.

    Call it before anything imports `flask`, usually at the top of the program's first module; further calls do
    nothing. `python -m flaskctx.compat` and the environment variable `FLASKCTX_AS_FLASK=1` call it before the program
    starts.

    :raises RuntimeError: Flask itself has been imported already.
    """
    flask = sys.modules.get("flask")
    if flask is not None and flask is not sys.modules.get("flaskctx"):
        raise RuntimeError(
            f"Flask itself is imported already, from {getattr(flask, '__file__', None)}, so flaskctx can't stand in for"
            " it. Call flaskctx.install_as_flask() before the first `import flask` (extensions import it, too), or"
            " have it called before the program starts: `python -m flaskctx.compat app.py`, or FLASKCTX_AS_FLASK=1 in"
            " the environment."
        )
    # this file may have been run twice, when the interpreter started and as a module
    sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "stands_in_for", None) != "flask"]
    sys.meta_path.insert(0, AliasFinder())


def _later(name: str) -> Any:
    """Import a module that an interpreter's start should not wait for."""
    return importlib.import_module(name)


class AliasFinder:
    """The finder on `sys.meta_path`; it has to stand before those that look into folders."""

    stands_in_for = "flask"

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to import `flask` or a module below it; None for other names, and for what isn't there."""
        if name.partition(".")[0] != "flask":
            return None
        real: ModuleSpec | None = _later("importlib.util").find_spec("flaskctx" + name.removeprefix("flask"))
        if real is None:
            return None
        loader: Any = AliasLoader(real)
        spec = ModuleSpec(name, loader, origin=real.origin)
        spec.submodule_search_locations = real.submodule_search_locations
        return spec

    def find_distributions(self, context: DistributionFinder.Context) -> Iterable[Distribution]:
        """Return the distribution Flask, unless another name is asked for, or what lies in certain folders."""
        asked = vars(context)
        if asked.get("path") is not None or (asked.get("name") or "flask").lower() != "flask":
            return []
        asking: Any = sys.modules[type(context).__module__]  # importlib.metadata or its backport
        return [asking.PathDistribution(_later("pathlib").Path(METADATA))]


class AliasLoader:
    """Puts the module that another name stands for under this one."""

    def __init__(self, real: ModuleSpec) -> None:
        self._real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import the module and return a stand-in, as the import system writes its spec to what it is given here."""
        return StandIn(spec.name, importlib.import_module(self._real.name))

    def exec_module(self, module: ModuleType) -> None:
        """Put the module in the stand-in's place, where the import system takes it from afterwards."""
        name, real = module.__name__, vars(module)["_real"]
        sys.modules[name] = real
        if name == "flask":
            real.__version__ = _later("importlib.metadata").version("flask")
            for submodule in IMPORTED_BY_FLASK:
                importlib.import_module(f"flask.{submodule}")

    def get_code(self, name: str) -> CodeType | None:
        """Return the code of the module, which `python -m flask` runs."""
        loader: Any = self._real.loader
        code: CodeType | None = loader.get_code(self._real.name)
        return code


class StandIn(ModuleType):
    """What a module is to import hooks that wrap the loader: it has the name they wait for, and passes on the rest."""

    def __init__(self, name: str, real: ModuleType) -> None:
        super().__init__(name)
        vars(self)["_real"] = real

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)["_real"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            super().__setattr__(name, value)
        else:
            setattr(vars(self)["_real"], name, value)
