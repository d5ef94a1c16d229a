import io

from intake.columns import match_columns
from intake.people import Mailable, Rejected, people
from intake.reasons import ReasonCode
from intake.table import Table

HEADINGS = "Name,Address,City,State,ZIP\n"
ANN = "Ann Lee,12 Oak Street,Boston,MA,2108\n"


def read(rows: str) -> list[Mailable | Rejected]:
    with Table.open(io.BytesIO((HEADINGS + rows).encode())) as table:
        return list(people(table, match_columns(table.headings)))


def test_the_same_person_twice_is_mailed_once_and_the_second_names_the_first() -> None:
    first, second = read(ANN + '"LEE, ANN",12 oak st.,BOSTON,Massachusetts,02108-1234\n')

    assert isinstance(first, Mailable)
    assert isinstance(second, Rejected)
    assert second.reasons[0].code is ReasonCode.DUPLICATE
    assert second.reasons[0].sentence.endswith("row 2.")


def test_a_rejected_row_is_nobodys_first() -> None:
    bad, good = read(ANN.replace("MA", "CA") + ANN)

    assert (type(bad), type(good)) == (Rejected, Mailable)


def test_a_row_with_more_cells_than_headings_is_rejected_not_guessed() -> None:
    (found,) = read("Ann Lee,12 Oak Street, Apt 4,Boston,MA,02108\n")

    assert isinstance(found, Rejected)
    assert found.reasons[0].code is ReasonCode.TOO_MANY_CELLS
