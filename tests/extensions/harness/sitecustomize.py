"""A witness in every Python process of a run: at its end it writes down whose modules `flask` was made of.

The folder of this file is on the PYTHONPATH of a run, so the processes that tests start bear witness as well.
"""

from __future__ import annotations

import atexit
import os
import sys


def bear_witness(file: str) -> None:
    """Append one line to a file, unless this process has done without `flask`: its id and the packages it got."""
    packages = {
        module.__name__.partition(".")[0]
        for name, module in sys.modules.copy().items()
        if name == "flask" or name.startswith("flask.")
    }
    if packages:
        if sys.modules.get("flask") is sys.modules.get("flaskctx"):
            packages.discard("flaskctx")
            packages.add("flaskctx itself")
        with open(file, "a") as lines:
            lines.write(f"{os.getpid()} {' and '.join(sorted(packages))}\n")


if "EXTENSIONS_WITNESSES" in os.environ:
    atexit.register(bear_witness, os.environ["EXTENSIONS_WITNESSES"])
