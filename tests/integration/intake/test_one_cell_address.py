import pytest

from intake.csv.one_cell_address import OneCell, split_address


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("12 Oak St  Apt 4  Boston  MA  02108  US", ("12 Oak St", "Apt 4", "Boston", "MA", "02108", "US")),
        ("12 Oak St\nApt 4\nBoston, MA 02108", ("12 Oak St", "Apt 4", "Boston", "MA", "02108", "")),
        ("4581 Finch St. Bayshore CA 94326", ("4581 Finch St.", "", "Bayshore", "CA", "94326", "")),
        ("12 Oak Ave St Louis MO 63101", ("12 Oak Ave", "", "St Louis", "MO", "63101", "")),
        ("100 Court St Boston MA 02108", ("100 Court St", "", "Boston", "MA", "02108", "")),
        ("100 N St NW Washington DC 20001", ("100 N St NW", "", "Washington", "DC", "20001", "")),
        ("PO Box 12 Reno NV 89501", ("PO Box 12", "", "Reno", "NV", "89501", "")),
        (
            "9 Elm Rd, Salem, North Carolina 27101, USA",
            ("9 Elm Rd", "", "Salem", "North Carolina", "27101", "USA"),
        ),
    ],
)
def test_an_address_in_one_cell_is_taken_apart(text: str, parts: tuple[str, ...]) -> None:
    assert split_address(text) == OneCell(*parts)


@pytest.mark.parametrize("text", ["Bombay", "12 Broadway New York NY 10001", "12 Oak St", "02108", ""])
def test_what_cannot_be_told_is_not_guessed(text: str) -> None:
    assert split_address(text) == OneCell(text)
