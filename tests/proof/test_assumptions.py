"""The table of assumptions in the guarantees names every setting that breaks one, once, and tests that exist."""

import re
from pathlib import Path
from typing import Final

import pytest

from bench.chaos import faults
from sandbox.settings import Settings
from tests.proof.state_machine.manners import MANNERS

ROOT: Final = Path(__file__).parents[2]
_ROW: Final = re.compile(r"^\| [^|]+ \| (`\w+`(?:, `\w+`)*) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
# These make the sandbox convenient or hostile, and break no assumption.
_NO_ASSUMPTION: Final = {"settleSeconds", "seed", "doNotMail"}


def _table() -> list[tuple[str, str]]:
    page = (ROOT / "docs" / "guarantees.md").read_text()
    _, _, section = page.partition("## What is assumed about LettrLabs")
    rows = _ROW.findall(section.partition("\n## ")[0])
    return [(setting.strip("`"), test.strip().strip("`")) for setting, test in rows]


def _settings() -> dict[str, object]:
    return Settings().model_dump(mode="json", by_alias=True)


def test_the_table_names_each_setting_once_and_no_other() -> None:
    named = [setting for setting, _ in _table()]

    assert sorted(named) == sorted(_settings().keys() - _NO_ASSUMPTION)


def test_each_row_of_the_table_names_a_test_that_uses_the_setting() -> None:
    files = {"each manner": "tests/proof/state_machine/manners.py"}
    used = {setting: setting in (ROOT / files.get(test, test)).read_text() for setting, test in _table()}

    assert [setting for setting, is_used in used.items() if not is_used] == []


def test_every_manner_of_the_proofs_differs_from_the_sandboxs_default() -> None:
    defaults = _settings()
    values = [(name, value) for name, several in MANNERS.items() for value in several]
    values += [(name, value) for name, several in faults.MANNERS.items() for value in several]

    assert [name for name, value in values if defaults[name] == value] == []
    assert MANNERS.keys() == defaults.keys() - _NO_ASSUMPTION


@pytest.mark.parametrize("seed", range(5))
def test_the_chaos_run_draws_two_manners_that_the_sandbox_takes(seed: int) -> None:
    drawn = faults.manners(seed)

    assert len(drawn) == 2
    Settings.model_validate(drawn)
    assert drawn == faults.manners(seed)
