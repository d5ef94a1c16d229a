import io

from intake.csv.columns import match_columns
from intake.csv.importer import ImportedBlock, people
from intake.csv.table import Table
from intake.reasons import ReasonCode
from intake.recipients.rows import MailableRow

HEADINGS = "Name,Address,City,State,ZIP\n"
ANN = "Ann Lee,12 Oak Street,Boston,MA,2108\n"


def read(rows: str) -> ImportedBlock:
    with Table.open(io.BytesIO((HEADINGS + rows).encode())) as table:
        (found,) = people(table, match_columns(table.headings))
        return found


def test_the_same_person_twice_is_mailed_once_and_the_second_names_the_first() -> None:
    found = read(ANN + '"LEE, ANN",12 oak st.,BOSTON,Massachusetts,02108-1234\n')

    (first,), (second,), _ = found
    assert MailableRow._make(first).row == 2
    assert second.reasons[0].code is ReasonCode.DUPLICATE
    assert second.reasons[0].sentence.endswith("row 2.")


def test_a_rejected_row_is_nobodys_first() -> None:
    (good,), (bad,), _ = read(ANN.replace("MA", "CA") + ANN)

    assert (bad.row.number, MailableRow._make(good).row) == (2, 3)


def test_a_row_with_more_cells_than_headings_is_rejected_not_guessed() -> None:
    people, (rejected,), _ = read("Ann Lee,12 Oak Street, Apt 4,Boston,MA,02108\n")

    assert not people
    assert rejected.reasons[0].code is ReasonCode.TOO_MANY_CELLS


def test_what_was_found_shows_nobody() -> None:
    assert repr(read(ANN + ANN)) == "<1 people, 1 rejected rows>"
