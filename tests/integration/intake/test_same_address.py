"""Pairs of addresses: one home written in two ways, or two homes that look alike. All are made up."""

import csv
from pathlib import Path
from typing import Final

import pytest

from intake.recipients.digests import folded_places
from intake.recipients.normalize import folded_streets

_PAIRS: Final = list(
    csv.reader((Path(__file__).parent / "address_pairs.csv").read_text("utf-8").splitlines())
)[1:]
FEWEST: Final = 300


def _forms(pair: list[str]) -> list[str]:
    _, address, unit, other_address, other_unit = pair
    return folded_places([address, other_address], [unit, other_unit], ["02108", "02108"])


def test_there_are_pairs_of_either_kind() -> None:
    assert len(_PAIRS) >= FEWEST
    assert {pair[0] for pair in _PAIRS} == {"same", "different"}


@pytest.mark.parametrize("outcome", ["same", "different"])
def test_one_home_has_one_normal_form_and_two_homes_have_two(outcome: str) -> None:
    pairs = [pair for pair in _PAIRS if pair[0] == outcome]

    wrong = [pair for pair in pairs if (len(set(_forms(pair))) == 1) != (outcome == "same")]

    assert wrong == []


def test_a_line_has_the_same_form_alone_and_among_others() -> None:
    lines = [f"{pair[1]} {pair[2]}" for pair in _PAIRS]

    assert folded_streets(lines) == [folded_streets([line])[0] for line in lines]


def test_a_normal_form_is_its_own_normal_form() -> None:
    forms = [form.partition("\n")[0] for pair in _PAIRS for form in _forms(pair)]

    assert folded_streets(forms) == forms
