"""Run other people's extensions' own tests on Flask and on flaskctx, and compare them test by test.

    nox -s extensions                            all suites of suites.toml
    nox -s extensions -- Flask-Login             some of them

The exit status is 0 if no test that passes on Flask does anything else on flaskctx. README.md tells the rest.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from comparing import Comparison
from running import Workshop, build_wheel
from suites import HERE, Suite, read_suites

ROW = "{:<22}{:>10}{:>14}{:>13}{:>13}  {}"


def main() -> int:
    """Run the suites that the arguments name; print a table and what is wrong."""
    suites = read_suites()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"all of them by default: {', '.join(suites)}")
    parser.add_argument("--cache", type=Path, default=HERE.parents[1] / ".nox" / "extensions-suites", metavar="FOLDER")
    arguments = parser.parse_args()
    if unknown := set(arguments.suites) - set(suites):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    cache = arguments.cache.resolve()
    wheel = build_wheel(cache / "wheel")
    print(ROW.format("suite", "compared", "passed there", "passed here", "regressions", "fault on purpose"), flush=True)
    complaints = []
    for name in arguments.suites or suites:
        complaints += [f"{name}: {complaint}" for complaint in run_suite(suites[name], cache, wheel)]
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


def run_suite(suite: Suite, cache: Path, wheel: Path) -> list[str]:
    """Run one suite on Flask and on flaskctx, and once more with its fault; print its row, return what is wrong."""
    workshop = Workshop(suite, cache / suite.name, wheel)
    there = workshop.run("flask", as_flask=False)
    comparison = Comparison(there, workshop.run("flaskctx", as_flask=True), suite.minimum, suite.differing)
    complaints = comparison.complaints()
    noticed = ""
    if suite.fault is not None:
        faulty = Comparison(there, workshop.run("fault", as_flask=True, fault=suite.fault), suite.minimum)
        noticed = f"{len(faulty.worse)} fail: {suite.fault}"
        complaints += complaints_about_fault(suite.fault, comparison, faulty)
    both = len(there.passed) - len(comparison.worse)
    print(
        ROW.format(
            suite.name, len(there.passed), len(there.passed), both, len(comparison.regressions), noticed
        ).rstrip(),
        flush=True,
    )
    return complaints


def complaints_about_fault(fault: str, sound: Comparison, faulty: Comparison) -> list[str]:
    """Return what is wrong with the run that has a fault: it must come to its end, and some tests must notice."""
    if faulty.here.exit_status != 1 or not faulty.here.passed:
        return [f"{fault}: that run has proved nothing, pytest's exit status is {faulty.here.exit_status}"]
    if not faulty.worse.keys() - sound.worse.keys():
        return [f"{fault}: no test has noticed"]
    return []


if __name__ == "__main__":
    sys.exit(main())
