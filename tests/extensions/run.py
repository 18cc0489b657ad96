"""Run the extensions' own tests on Flask and on flaskctx, and compare them test by test.

    nox -s extensions                            all suites of suites.toml
    nox -s extensions -- Flask-Login Flask-WTF   these

Exits with 1 if a test that passes on Flask does anything else on flaskctx. README.md tells the rest.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from comparing import Comparison, complaints_about_fault
from running import PipFailed, Workshop, build_wheel
from suites import HERE, Suite, read_suites

COLUMNS = ("suite", "compared", "passed there", "passed here", "known to differ", "regressions", "fault on purpose")
ROW = "{:<36}{:>9}{:>14}{:>13}{:>17}{:>13}  {}"


def main() -> int:
    """Run the suites that the arguments name; print a table, and below it what is wrong."""
    suites = read_suites()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"all by default: {', '.join(suites)}")
    parser.add_argument(
        "--cache",
        type=Path,
        default=HERE.parents[1] / ".nox" / "extensions-suites",
        metavar="FOLDER",
        help="where environments, downloads and the output of the runs are (%(default)s)",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.suites) - set(suites):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    cache: Path = arguments.cache.resolve()
    wheel = build_wheel(cache / "wheel")
    print(ROW.format(*COLUMNS), flush=True)
    complaints = []
    for name in arguments.suites or suites:
        try:
            complaints += [f"{name}: {complaint}" for complaint in run_suite(suites[name], cache / name, wheel)]
        except PipFailed as failure:
            complaints.append(f"{name}: {failure}")
    print("", *complaints, sep="\n")
    return 1 if complaints else 0


def run_suite(suite: Suite, folder: Path, wheel: Path) -> list[str]:
    """Run a suite on Flask and on flaskctx, and once more with its fault; print its row, return what is wrong."""
    workshop = Workshop(suite, folder, wheel)
    there = workshop.run("flask", as_flask=False)
    here = workshop.run("flaskctx", as_flask=True)
    comparison = Comparison(there, here, suite.minimum, suite.differing)
    complaints = [*comparison.complaints()]
    noticed = ""
    if suite.fault is not None:
        faulty = Comparison(there, workshop.run("fault", as_flask=True, fault=suite.fault), suite.minimum)
        complaints += complaints_about_fault(suite.fault, comparison, faulty)
        noticed = f"{suite.fault}: {len(faulty.worse.keys() - comparison.worse.keys())} more fail"
    compared, worse, regressions = len(there.passed), len(comparison.worse), len(comparison.regressions)
    row = (suite.name, compared, compared, compared - worse, worse - regressions, regressions, noticed)
    print(ROW.format(*row).rstrip(), flush=True)
    return complaints


if __name__ == "__main__":
    sys.exit(main())
