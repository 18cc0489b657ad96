"""`python -m flaskctx.compat app.py`, `python -m flaskctx.compat -m module`: run a program to which we are Flask."""

from __future__ import annotations

import os
import pkgutil
import runpy
import sys

from .alias import install_as_flask

USAGE = """\
usage: python -m flaskctx.compat FILE [ARGUMENT...]
       python -m flaskctx.compat -m MODULE [ARGUMENT...]

Run a program, as python does, in which `import flask` gives flaskctx.
FLASKCTX_AS_FLASK=1 in the environment does the same for each Python that starts."""


def main() -> None:
    """Run the program that the arguments name. Python processes that it starts get flaskctx as Flask, too."""
    arguments = sys.argv[1:]
    if arguments in (["-h"], ["--help"]):
        print(USAGE)
        return
    install_as_flask()
    os.environ["FLASKCTX_AS_FLASK"] = "1"
    match arguments:
        case ["-m", module, *_]:
            sys.argv = arguments[1:]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case [file, *_] if not file.startswith("-"):
            sys.argv = arguments
            if not sys.flags.safe_path:
                _replace_working_directory(file)
            runpy.run_path(file, run_name="__main__")
        case _:
            print(USAGE, file=sys.stderr)
            sys.exit(2)


def _replace_working_directory(file: str) -> None:
    """Let modules be found where the program is: `python -m` has put the working directory in that place."""
    if pkgutil.get_importer(file) is None:
        sys.path[0] = os.path.dirname(os.path.realpath(file))
    else:
        # a folder or an archive; run_path puts it there
        del sys.path[0]


if __name__ == "__main__":
    main()
