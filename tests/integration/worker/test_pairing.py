"""Who on the vendor's list is who on ours: the surest sign decides, however the pairs are found."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.recipients.matching import SIGNS, are_written_differently, match, pair_cut


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

    assert match({0: Somebody(address2="Apt. 3")}, {900: theirs}) == {0: 900}


def test_two_of_one_name_at_one_number_are_told_apart_by_their_street() -> None:
    ours = {0: Somebody(address1="12 Oak Street"), 1: Somebody(address1="12 Elm Street")}
    theirs = {901: Somebody(address1="12 ELM STREET"), 902: Somebody(address1="12 OAK STREET")}

    assert match(ours, theirs) == {0: 902, 1: 901}


def test_somebody_who_is_on_one_list_twice_takes_one_place_on_the_other() -> None:
    assert match({0: Somebody(), 1: Somebody()}, {901: Somebody()}) == {0: 901}


@pytest.mark.parametrize(
    "other", [Somebody(first_name="Bo", zip_code="1"), Somebody("Bo", "X", address1="7 Elm")]
)
def test_nobody_is_paired_with_somebody_else(other: Somebody) -> None:
    assert match({0: Somebody(first_name="Cy", last_name="Z")}, {901: other}) == {}


def household(*names: str, house: str = "12") -> list[Somebody]:
    return [Somebody(name, "Montgomery", address1=f"{house} Oak Street") for name in names]


CUT = [
    (household("Christopher"), [Somebody("Christo", "Montgom", address1="14 OAK ST")]),
    (household("Christopher"), [Somebody("Christopher Montg", None, address1="14 OAK ST")]),
    (household("Christopher", "Christina"), [Somebody("Chri", "Montg", address1="14 OAK ST")] * 2),
    (
        household("Maximilian", "Alexandra"),
        [Somebody("Alexan", "Montg", address1="7 OAK"), Somebody("Maxi", "Montg", address1="7 OAK")],
    ),
    (
        [Somebody(f"Bartholomew{n}", "Montgomery", address1=f"{n} Elm Street") for n in range(9)],
        [Somebody("Bartholomew", "Montgo", address1=f"{n}00 ELM") for n in range(9)],
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), CUT)
def test_people_whose_names_are_cut_beside_changed_house_numbers_are_paired(
    ours: list[Somebody], theirs: list[Somebody]
) -> None:
    left, right = dict(enumerate(ours)), dict(enumerate(theirs, start=900))

    assert match(left, right) == {}
    pairs = pair_cut(left, right)
    assert sorted(pairs) == sorted(left)
    assert sorted(pairs.values()) == sorted(right)
    assert all(left[n].first_name[:4] == right[pairs[n]].first_name[:4] for n in left)  # type: ignore[index]


def test_equal_cut_names_are_paired_in_the_order_they_stand() -> None:
    ours = dict(enumerate(household("Christopher", "Christina", "Christian")))
    theirs = {900 + n: Somebody("Chri", "Mont", address1="1 X") for n in range(3)}

    assert pair_cut(ours, theirs) == {0: 900, 1: 901, 2: 902}


OTHERS = [
    Somebody("Chri", "Montg", address1="14 Oak", zip_code="10001"),
    Somebody("Bo", "Montgomery", address1="14 Oak"),
    Somebody("Chri", "Smith", address1="14 Oak"),
    Somebody(None, None, address1="14 Oak"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_a_person_is_not_paired_where_the_zip_or_the_rest_of_a_name_differs(other: Somebody) -> None:
    assert pair_cut(dict(enumerate(household("Christopher"))), {900: other}) == {}


def test_a_second_copy_of_a_paired_person_takes_no_place_of_another() -> None:
    ours = {0: Somebody("Ann", "Lee", address1="12 Oak"), 1: Somebody("Anna", "Lee", address1="7 Elm")}
    theirs = {900: Somebody("Ann", "Lee", address1="12 Oak"), 901: Somebody("Ann", "Lee", address1="12 Oak")}

    assert pair_cut(ours, theirs) == {0: 900}
    assert not are_written_differently(ours, theirs)


def test_people_at_the_same_zips_are_merely_written_differently() -> None:
    ours = dict(enumerate([*household("Christopher", "Peggy"), Somebody("Cy", "Z", zip_code="10001")]))
    theirs = {
        900: Somebody("Christopher", "Montgomery", address1="12 OAK ST"),
        901: Somebody("Margaret", "Mtgy", address1="14 OAK ST"),
        902: Somebody("Cyrus", "Q", address1="1 X", zip_code="10001"),
    }

    assert are_written_differently(ours, theirs)
    assert not are_written_differently(ours, {**theirs, 903: Somebody("More")})
    assert not are_written_differently(ours, {900: theirs[900], 901: theirs[901]})
    assert not are_written_differently(ours, {**theirs, 902: Somebody("Q", "Q", "Q", "1 X", None, "99999")})


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

    assert match(left, right) == sign_by_sign(left, right)
