"""The chosen mistakes: TOML lists of a text, the text to put in its place, and the tests that must notice."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.workspace import Workspace

LISTS = Path(__file__).parent


class CatalogError(Exception):
    """A mistake cannot be made: its text is not in the code exactly once, or a test file is not there."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake, and the place that its text has in the code.

    ``harmless`` gives the reason why no test can notice it, and is empty otherwise.
    """

    list: str
    title: str
    file: Path
    mutated: str
    tests: tuple[str, ...]
    harmless: str


def load(workspace: Workspace, names: Sequence[str] = ()) -> list[Mutant]:
    """Return the mistakes of the named lists, or with exactly a title that is named; raises CatalogError."""
    mutants, faults = [], []
    for path in sorted(LISTS.glob("*.toml")):
        for entry in tomllib.loads(path.read_text())["mutant"]:
            if names and not {path.stem, entry["title"]} & {*names}:
                continue
            try:
                mutants.append(_located(workspace, path.stem, entry))
            except CatalogError as error:
                faults.append(str(error))
    if faults:
        raise CatalogError("\n".join(faults))
    return mutants


def _located(workspace: Workspace, name: str, entry: dict[str, str]) -> Mutant:
    """Find the place by text, so that a file may move without an edit here."""
    title, old = entry["title"], entry["old"]
    places = [(path, text) for path, text in workspace.sources.items() for _ in range(text.count(old))]
    if len(places) != 1:
        raise CatalogError(f'{name}.toml: "{title}": its text is {len(places)} times in the code, not once')
    ((path, text),) = places
    tests = tuple(workspace.test_file(stem) for stem in entry["tests"].split())
    missing = [stem for stem, file in zip(entry["tests"].split(), tests, strict=True) if not file]
    if missing:
        raise CatalogError(f'{name}.toml: "{title}": no test file {", ".join(missing)}')
    mutated = text.replace(old, entry["new"])
    return Mutant(name, title, path, mutated, tests, entry.get("harmless", ""))
