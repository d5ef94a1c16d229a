"""Who on the vendor's list is who on ours: the surest sign decides, however the pairs are found."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.pairing import SIGNS, pair


@dataclass(frozen=True)
class Somebody:
    first_name: str | None = "Ada"
    last_name: str | None = "Love"
    organization: str | None = None
    address1: str | None = "12 Oak Street"
    address2: str | None = None
    zip_code: str | None = "62701"


def test_a_normalised_address_is_recognised() -> None:
    theirs = Somebody("ADA", "LOVE", address1="12 OAK ST", address2="APT 3", zip_code="62701-1234")

    assert pair({0: Somebody(address2="Apt. 3")}, {900: theirs}) == {0: 900}


def test_two_of_one_name_at_one_number_are_told_apart_by_their_street() -> None:
    ours = {0: Somebody(address1="12 Oak Street"), 1: Somebody(address1="12 Elm Street")}
    theirs = {901: Somebody(address1="12 ELM STREET"), 902: Somebody(address1="12 OAK STREET")}

    assert pair(ours, theirs) == {0: 902, 1: 901}


def test_somebody_who_is_on_one_list_twice_takes_one_place_on_the_other() -> None:
    assert pair({0: Somebody(), 1: Somebody()}, {901: Somebody()}) == {0: 901}


@pytest.mark.parametrize(
    "other", [Somebody(first_name="Bo", zip_code="1"), Somebody("Bo", "X", address1="7 Elm")]
)
def test_nobody_is_paired_with_somebody_else(other: Somebody) -> None:
    assert pair({0: Somebody(first_name="Cy", last_name="Z")}, {901: other}) == {}


def sign_by_sign(ours: Mapping[int, Somebody], theirs: Mapping[int, Somebody]) -> dict[int, int]:
    pairs: dict[int, int] = {}
    for sign in SIGNS:
        for number, person in ours.items():
            free = (one for one in theirs if one not in pairs.values() and sign(theirs[one]) == sign(person))
            if number not in pairs and (found := next(free, None)) is not None:
                pairs[number] = found
    return pairs


people = st.lists(
    st.builds(
        Somebody,
        first_name=st.sampled_from(["Ada", "ADA", "Zoë", "Straße", None]),
        last_name=st.sampled_from(["Love", "O'Neil", "o neil"]),
        address1=st.sampled_from(["12 Oak Street", "12 OAK ST", "12 Elm St.", "7-Elm", "", None]),
        address2=st.sampled_from([None, "Apt 3", "APT. 3"]),
        zip_code=st.sampled_from(["62701", "62701-1234", "02108", None]),
    ),
    max_size=6,
)


@settings(deadline=None, database=None, max_examples=200)
@given(people, people)
def test_pairs_are_those_that_sign_by_sign_are_found(ours: list[Somebody], theirs: list[Somebody]) -> None:
    left, right = dict(enumerate(ours)), dict(enumerate(theirs, start=900))

    assert pair(left, right) == sign_by_sign(left, right)
