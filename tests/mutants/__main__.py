"""Make chosen mistakes in a copy of the code, one at a time, and report which of them the tests do not notice.

`make mutants` runs all of them; `python -m tests.mutants NAME ...` runs those of the named lists or titles.
`--check` only looks for the places.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.mutants.catalog import CatalogError, Mutant, load
from tests.mutants.trial import (
    FOUND,
    HARMLESS,
    SURVIVED,
    UNSOUND,
    VALID,
    Trial,
    failures,
    prepared,
    run_tests,
)
from tests.mutants.workspace import Workspace

ROOT = Path(__file__).parents[2]
# The share of the mistakes with an effect that the tests must find.
REQUIRED_SHARE = 0.95


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trials and return the exit code: 0 if enough mistakes were found."""
    asked = _parse(arguments)
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        workspace = Workspace.copy(ROOT, Path(directory))
        try:
            mutants = load(workspace, asked.names)
        except CatalogError as error:
            print(error, file=sys.stderr)
            return 2
        print(f"{len(mutants)} mistakes, each with its place in the code", flush=True)
        if asked.check:
            return 0
        with prepared(workspace, Path(directory)):
            trials = [_try(workspace, mutant, asked.timeout) for mutant in mutants]
            return _report(_verified(workspace, trials, asked.timeout))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="lists or titles; all without")
    parser.add_argument("--check", action="store_true", help="look for the places and run nothing")
    parser.add_argument("--timeout", type=float, default=240, help="seconds for the tests of one mistake")
    return parser.parse_args(arguments)


def _try(workspace: Workspace, mutant: Mutant, timeout: float) -> Trial:
    began = time.monotonic()
    with workspace.mutated(mutant.file, mutant.mutated):
        result, words = run_tests(workspace, mutant.tests, timeout)
    trial = Trial(mutant, result, words, time.monotonic() - began)
    print(trial, flush=True)
    return trial


def _verified(workspace: Workspace, trials: Sequence[Trial], timeout: float) -> list[Trial]:
    """Run each test that noticed a mistake on the correct code: one that fails there noticed nothing."""
    finders = sorted({trial.words for trial in trials if trial.result == FOUND})
    broken = failures(workspace, finders, timeout * len(finders)) if finders else ()
    return [
        replace(trial, result=UNSOUND) if trial.result == FOUND and trial.words in broken else trial
        for trial in trials
    ]


def _report(trials: Sequence[Trial]) -> int:
    """Print the totals; a harmless mistake counts neither for nor against the tests."""
    counted = [trial for trial in trials if not trial.mutant.harmless]
    invalid = [trial for trial in trials if trial.result not in VALID]
    found = [trial for trial in counted if trial.result in VALID - {SURVIVED}]
    share = len(found) / len(counted) if counted else 1.0
    print(f"\n{dict(Counter(trial.verdict for trial in trials))}")
    print(f"found {len(found)} of {len(counted)} mistakes ({share:.0%})")
    for trial in trials:
        if trial.verdict == HARMLESS or trial in invalid or (trial in counted and trial.result == SURVIVED):
            print(f"  {trial.verdict}: {trial.mutant.title}: {trial.mutant.harmless or trial.words}")
    return 0 if share >= REQUIRED_SHARE and not invalid else 1


if __name__ == "__main__":
    sys.exit(main())
