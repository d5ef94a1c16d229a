from hypothesis import given
from hypothesis import strategies as st

from intake.csv.columns import match_columns
from intake.csv.fast_path import FastPath
from intake.recipients.recipient import Recipient
from intake.recipients.rows import RecipientRow, to_row
from intake.recipients.strictness import Strictness
from intake.recipients.validator import AddressValidator

HEADINGS = [
    "First name",
    "Last name",
    "Name",
    "Company",
    "Address",
    "Address 2",
    "City",
    "State",
    "ZIP",
    "ZIP+4",
]
HEADINGS += ["Country", "Email", "Customer ID", "custom1", "custom2", "image1"]
KEY = b"a key of this test"
ANN = ["Ann", "Lee", "", "", "12 Oak Street", "", "Boston", "MA", "02108", "", "", "", "", "", "", ""]
AT_WORK = [
    "José",
    "O'Hara",
    "",
    "Acme, Inc.",
    "P.O. Box 9",
    "Apt #4",
    "Reno",
    "nevada",
    "89501-1234",
    "",
    "USA",
]
AT_WORK += ["Jo@Example.com", "C-1", 'a "gift"', "gold", "https://example.com/a.png"]

CELLS = st.sampled_from(
    [
        *(
            "",
            "",
            "Ann",
            "José",
            "van der Berg, Ann",
            "Acme, Inc.",
            "12 Oak Street",
            "Apt #4",
            "P.O. Box 9",
            "Reno",
        ),
        *(
            "NV",
            "nevada",
            "XX",
            "89501",
            "2108",
            "02108-1234",
            "0",
            "12.0",
            "US",
            "France",
            "a@b.example",
            "C-1",
        ),
        *(
            " padded",
            "trailing ",
            "two  spaces",
            "a\ttab",
            "a\nbreak",
            "\u200binvisible",
            "\ufffd",
            "\x07",
            "ø",
            "中",
        ),
        *("x" * 101, "y" * 2001, "https://example.com/a.png", "not a url", 'a "gift"', "back\\slash", "\xa0"),
    ]
)


def gated(number: int, row: list[str]) -> RecipientRow | None:
    """Return whom the gate makes of a row by itself."""
    columns = match_columns(HEADINGS)
    found = AddressValidator(columns.named()).admit(*columns.reader()(row))
    return to_row(number, found, KEY) if isinstance(found, Recipient) else None


def plain(rows: list[list[str]], strictness: Strictness = Strictness.NORMAL) -> list[RecipientRow | None]:
    return FastPath(match_columns(HEADINGS), KEY, strictness).find(range(2, 2 + len(rows)), rows)


def test_ordinary_rows_are_plain() -> None:
    assert plain([ANN, AT_WORK]) == [gated(2, ANN), gated(3, AT_WORK)]
    assert None not in plain([ANN, AT_WORK])


def test_rows_beside_one_that_is_not_plain_are_plain_still() -> None:
    spaced = [*ANN[:4], "12  Oak Street", *ANN[5:]]
    abroad = [*ANN[:10], "France", *ANN[11:]]

    assert plain([ANN, spaced, abroad, AT_WORK]) == [gated(2, ANN), None, None, gated(5, AT_WORK)]


def test_a_row_that_says_nothing_of_anybody_is_left_to_the_gate() -> None:
    assert plain([[""] * 13 + ["a gift", "", ""]]) == [None]


def test_no_row_is_plain_where_addresses_must_look_surer_or_less_sure_than_usual() -> None:
    assert plain([ANN], Strictness.STRICT) == [None]
    assert plain([ANN], Strictness.RELAXED) == [None]


@given(st.lists(st.one_of(st.just(ANN), st.lists(CELLS, min_size=16, max_size=16)), max_size=8))
def test_whoever_a_plain_row_mails_the_gate_would_mail_too(rows: list[list[str]]) -> None:
    for number, (row, found) in enumerate(zip(rows, plain(rows), strict=True), 2):
        assert found is None or found == gated(number, row)


@given(st.lists(st.tuples(st.integers(0, 15), CELLS), max_size=3), st.sampled_from([ANN, AT_WORK]))
def test_a_row_that_differs_from_an_ordinary_one_in_some_cells_is_mailed_as_the_gate_says(
    changes: list[tuple[int, str]], ordinary: list[str]
) -> None:
    row = list(ordinary)
    for at, cell in changes:
        row[at] = cell

    (found,) = plain([row])

    assert found is None or found == gated(2, row)
