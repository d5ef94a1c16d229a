import pytest

from intake.reasons import Reason, ReasonCode
from intake.recipients.cell_text import looks_misread, unwrapped
from intake.recipients.recipient import Recipient
from intake.recipients.us_states import is_domestic, state_code
from intake.recipients.validator import AddressValidator, RecipientDraft

GOOD = RecipientDraft(
    first_name="Ann", last_name="Lee", address1="12 Oak St", city="Boston", state="MA", zip_code="02108"
)


def admitted(**cells: str) -> Recipient:
    found = AddressValidator().admit(GOOD._replace(**cells), {})
    assert isinstance(found, Recipient), found
    return found


def codes(**cells: str) -> list[ReasonCode]:
    found: Recipient | tuple[Reason, ...] = AddressValidator().admit(GOOD._replace(**cells), {})
    assert not isinstance(found, Recipient)
    return [one.code for one in found]


@pytest.mark.parametrize(
    "zip_code", ['="02108"', "'02108", "\u201902108", "2108", "2108.0", '="2108"', "02108\u20130000"]
)
def test_a_zip_code_is_understood_in_what_a_spreadsheet_puts_around_it(zip_code: str) -> None:
    assert admitted(zip_code=zip_code).zip_code == "02108"


@pytest.mark.parametrize("dash", "-\u2010\u2011\u2012\u2013\u2014\u2212 ")
def test_any_dash_joins_a_zip_code_and_its_addition(dash: str) -> None:
    assert admitted(zip_code=f"02108{dash}1234").zip_code == "021081234"


@pytest.mark.parametrize("digits", ["\u0660\u0662\u0661\u0660\u0668", "\uff10\uff12\uff11\uff10\uff18"])
def test_digits_that_are_not_ascii_are_no_zip_code(digits: str) -> None:
    assert codes(zip_code=digits) == [ReasonCode.MALFORMED_ZIP]


def test_digits_that_are_not_ascii_are_no_addition_to_a_zip_code() -> None:
    assert admitted(zip4="\u0661\u0662\u0663\u0664").zip_code == "02108"


def test_an_apostrophe_before_a_letter_belongs_to_the_name() -> None:
    assert unwrapped("'t Hooft") == "'t Hooft"
    assert admitted(last_name="'t Hooft").last_name == "'t Hooft"


@pytest.mark.parametrize("name", ["#1001", "1001", "-", "\u2013", "?!"])
def test_a_name_without_a_letter_is_no_name(name: str) -> None:
    assert codes(first_name=name, last_name="") == [ReasonCode.NO_NAME]
    assert admitted(first_name=name).first_name == ""


@pytest.mark.parametrize("mark", "\u202a\u202e\u2066\u2069\u200e\u200f\u061c")
def test_characters_that_change_the_direction_of_writing_are_refused_where_they_would_be_printed(
    mark: str,
) -> None:
    assert codes(last_name=f"Lee{mark}") == [ReasonCode.UNREADABLE]
    assert admitted(phone=f"{mark}617-555-0100").phone == "617-555-0100"


@pytest.mark.parametrize("cell", ["#N/A", "#REF!"])
def test_the_error_of_a_formula_is_not_printed(cell: str) -> None:
    assert codes(city=cell) == [ReasonCode.UNREADABLE]


@pytest.mark.parametrize(
    "country",
    [
        *(
            "U S A",
            "United States (US)",
            "US - United States",
            "u.s.a.",
            "The United States of America",
            "US",
        ),
        *(
            "PW",
            "FM",
            "MH",
            "MP",
            "Palau",
            "Micronesia",
            "Marshall Islands",
            "Northern Mariana Islands",
            "Guam",
        ),
        *("Federated States of Micronesia", "Virgin Islands, U.S.", "Puerto Rico", "USVI"),
    ],
)
def test_the_united_states_and_what_belongs_to_its_mail_are_home(country: str) -> None:
    assert is_domestic(country)


@pytest.mark.parametrize(
    "country",
    ["Canada", "UK", "British Virgin Islands", "Georgia (GE)", "US Minor", "Mexico", "United Arab Emirates"],
)
def test_other_countries_are_not_home(country: str) -> None:
    assert not is_domestic(country)


def test_a_territory_named_as_country_is_the_state_too() -> None:
    assert admitted(city="San Juan", state="", zip_code="00901", country="Puerto Rico").state == "PR"


@pytest.mark.parametrize(
    ("text", "code"), [("MA - Massachusetts", "MA"), ("Ohio (OH)", "OH"), ("US-MA", "MA"), ("MA-OH", None)]
)
def test_a_state_given_twice_is_one_state(text: str, code: str | None) -> None:
    assert state_code(text) == code


@pytest.mark.parametrize(
    "text", ["José", "JOÃO", "São Paulo", "Café®", "Mª José", "½", "Zoë", "O\u2019Brien", "Ångström"]
)
def test_words_of_other_languages_do_not_look_misread(text: str) -> None:
    assert not looks_misread(text)


@pytest.mark.parametrize("text", ["JosÃ©", "£ukasz", "Wa³êsa", "Jos√©", "Jos├®", "Ã€lex", "Â£5", "â€™"])
def test_words_in_a_wrong_encoding_look_misread(text: str) -> None:
    assert looks_misread(text)
