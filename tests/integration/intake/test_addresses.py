import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.reasons import Reason, ReasonCode
from intake.recipients.recipient import Recipient
from intake.recipients.us_states import STATE_NAMES, state_code, zip_belongs_to
from intake.recipients.validator import AddressValidator, RecipientDraft, normalize_zip

GOOD = RecipientDraft(
    first_name="Ann", last_name="Lee", address1="12 Oak St", city="Boston", state="MA", zip_code="02108"
)


def admitted(merge: dict[str, str] | None = None, **cells: str) -> Recipient:
    found = AddressValidator().admit(GOOD._replace(**cells), merge or {})
    assert isinstance(found, Recipient), found
    return found


def reasons(merge: dict[str, str] | None = None, **cells: str) -> tuple[Reason, ...]:
    found = AddressValidator().admit(GOOD._replace(**cells), merge or {})
    assert not isinstance(found, Recipient)
    return found


def codes(merge: dict[str, str] | None = None, **cells: str) -> list[ReasonCode]:
    return [reason.code for reason in reasons(merge, **cells)]


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("address1", ReasonCode.NO_ADDRESS),
        ("city", ReasonCode.NO_CITY),
        ("state", ReasonCode.NO_STATE),
        ("zip_code", ReasonCode.NO_ZIP),
    ],
)
def test_each_part_of_an_address_is_needed(field: str, code: ReasonCode) -> None:
    assert codes(**{field: " "}) == [code]


def test_a_name_or_an_organization_is_needed_and_either_is_enough() -> None:
    assert codes(first_name="", last_name="") == [ReasonCode.NO_NAME]
    assert admitted(first_name="", last_name="", organization="Acme").organization == "Acme"
    assert admitted(first_name="").last_name == "Lee"


def test_every_reason_of_a_row_is_told_at_once() -> None:
    assert codes(city="", state="Bavaria", zip_code="ABC") == [
        ReasonCode.NO_CITY,
        ReasonCode.UNKNOWN_STATE,
        ReasonCode.MALFORMED_ZIP,
    ]


def test_a_reason_names_the_column_by_its_heading_and_not_what_stands_in_it() -> None:
    gate = AddressValidator({"state": "Bundesland"})
    found = gate.admit(GOOD._replace(state="Bavaria"), {})

    assert not isinstance(found, Recipient)
    assert '"Bundesland"' in found[0].sentence
    assert "Bavaria" not in found[0].sentence


@pytest.mark.parametrize("code", STATE_NAMES)
def test_every_state_territory_and_military_region_is_known_by_code_and_name(code: str) -> None:
    assert state_code(code) == state_code(code.lower()) == state_code(STATE_NAMES[code].upper()) == code


@pytest.mark.parametrize(
    ("written", "code"),
    [("N.Y.", "NY"), ("Washington, D.C.", "DC"), ("U.S. Virgin Islands", "VI"), ("Mass", None)],
)
def test_states_are_known_with_dots_but_not_guessed(written: str, code: str | None) -> None:
    assert state_code(written) == code


@pytest.mark.parametrize(
    ("state", "zip_code"),
    [
        *[
            ("MA", "02108"),
            ("NY", "00501"),
            ("NY", "06390"),
            ("PR", "00601"),
            ("VI", "00802"),
            ("DC", "56901"),
        ],
        *[
            ("AE", "09012"),
            ("AP", "96201"),
            ("AA", "34002"),
            ("GU", "96910"),
            ("AS", "96799"),
            ("HI", "96701"),
        ],
        *[
            ("TX", "73301"),
            ("TX", "88510"),
            ("GA", "39901"),
            ("WY", "83414"),
            ("VA", "20101"),
            ("AK", "99950"),
        ],
    ],
)
def test_zip_codes_belong_to_their_state_even_the_odd_ones(state: str, zip_code: str) -> None:
    assert zip_belongs_to(state, zip_code)


@pytest.mark.parametrize(
    ("text", "state", "zip_code"),
    [
        ("2108", "MA", "02108"),
        ("2108-1234", "MA", "021081234"),
        ("21081234", "MA", "021081234"),
        ("601", "PR", "00601"),
        ("6011234", "PR", "006011234"),
        ("501", "NY", "00501"),
        ("9012", "AE", "09012"),
        ("2108.0", "MA", "02108"),
        ("02108-0000", "MA", "02108"),
        ("02108-", "MA", "02108"),
        ("02108 1234", "MA", "021081234"),
        ("89501", "NV", "89501"),
    ],
)
def test_a_lost_leading_zero_is_put_back_when_the_state_agrees(text: str, state: str, zip_code: str) -> None:
    assert normalize_zip(text, "", state) == (zip_code, None)


@pytest.mark.parametrize(
    ("text", "state", "code"),
    [
        ("2108", "CA", ReasonCode.SHORT_ZIP),
        ("9021", "CA", ReasonCode.SHORT_ZIP),
        ("501", "MA", ReasonCode.SHORT_ZIP),
        ("02108", "CA", ReasonCode.ZIP_IN_OTHER_STATE),
        ("00000", "NY", ReasonCode.ZIP_IN_OTHER_STATE),
        ("12", "NY", ReasonCode.MALFORMED_ZIP),
        ("123456", "NY", ReasonCode.MALFORMED_ZIP),
        ("1234567890", "NY", ReasonCode.MALFORMED_ZIP),
        ("K1A 0B1", "NY", ReasonCode.MALFORMED_ZIP),
        ("1.0E4", "NY", ReasonCode.MALFORMED_ZIP),
        ("\u0661\u0660\u0660\u0660\u0661", "NY", ReasonCode.MALFORMED_ZIP),
    ],
)
def test_a_zip_code_that_does_not_fit_is_rejected_not_guessed(
    text: str, state: str, code: ReasonCode
) -> None:
    assert normalize_zip(text, "", state) == ("", code)


@given(st.integers(0, 99_999), st.sampled_from(sorted(STATE_NAMES)))
def test_a_zip_code_that_lost_its_zeros_is_restored_exactly_or_rejected(number: int, state: str) -> None:
    whole = f"{number:05}"
    mended, fault = normalize_zip(str(number), "", state)

    assert mended in ("", whole)
    assert bool(fault) != bool(mended)
    assert bool(mended) == (number > 99 and zip_belongs_to(state, whole))


@pytest.mark.parametrize(
    ("zip4", "zip_code"),
    [("1234", "021081234"), ("12", "021080012"), ("", "02108"), ("x", "02108"), ("0", "02108")],
)
def test_four_more_digits_in_a_column_of_their_own_are_added(zip4: str, zip_code: str) -> None:
    assert admitted(zip4=zip4).zip_code == zip_code


def test_white_space_and_invisible_characters_are_tidied_away() -> None:
    found = admitted(
        first_name="\u200b Ann\u00a0Marie ", address1="12 Oak St\nApt 4", merge={"custom1": "Hi,\nAnn"}
    )

    assert (found.first_name, found.address1, found.merge) == (
        "Ann Marie",
        "12 Oak St Apt 4",
        {"custom1": "Hi,\nAnn"},
    )


@pytest.mark.parametrize("odd", ["\x00", "\x07", "\x1b", "\x7f", "\x9d", "\ufffd"])
def test_characters_that_cannot_be_printed_are_rejected_in_any_column(odd: str) -> None:
    assert codes(city=f"Bos{odd}ton") == [ReasonCode.UNREADABLE]
    assert codes(merge={"custom1": odd}) == [ReasonCode.UNREADABLE]


def test_cells_too_long_to_be_meant_are_rejected() -> None:
    assert codes(address1="1" * 101) == [ReasonCode.TOO_LONG]
    assert codes(merge={"custom1": "1" * 2001}) == [ReasonCode.TOO_LONG]
    assert admitted(email="a" * 255).email


@pytest.mark.parametrize("country", ["", "US", "usa", "U.S.A.", "United States", "Puerto Rico"])
def test_the_united_states_by_any_name_are_domestic(country: str) -> None:
    assert admitted(country=country).country == "US"


def test_another_country_is_rejected() -> None:
    assert codes(country="Canada") == [ReasonCode.FOREIGN_COUNTRY]


def test_a_picture_must_be_a_web_address() -> None:
    assert codes(merge={"image1": "photo.jpg"}) == [ReasonCode.NOT_A_URL]
    assert admitted(merge={"image1": "https://example.com/photo.jpg"}).merge


def test_a_full_name_is_split_only_where_no_first_or_last_name_stands() -> None:
    assert admitted(full_name="Bo Kim").first_name == "Ann"
    found = admitted(first_name="", last_name="", full_name="Dr. Bo van der Kim Jr.")

    assert (found.salutation, found.first_name, found.last_name) == ("Dr.", "Bo", "van der Kim Jr.")
