import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from intake.campaigns.submit import submit_campaign
from intake.csv.saved_mappings import save_mapping
from intake.errors import IntakeError
from intake.options import Options
from intake.suppression.import_file import Imported, import_list
from models import Campaign, IdentityKind, Mailing, Recipient, Suppression, SuppressionList

DMA = (
    "FIRST_NAME|LAST_NAME|ADDRESS_1|ADDRESS_2|CITY|STATE|ZIP|PHONE\n"
    "ANN|LEE|12 OAK ST|APT 4|BOSTON|MA|2108|\n"
    "BEN|KIM|9 ELM ST||RENO|NV|895010000|\n"
)


def taken_in(post: Any, content: str | bytes, **options: Any) -> Imported:
    data = content.encode() if isinstance(content, str) else content
    return import_list(post.engine, io.BytesIO(data), who="test", **options)


def entries(post: Any) -> list[tuple[str, IdentityKind]]:
    with post.engine.connect() as connection:
        found = connection.execute(
            select(Suppression.list, Suppression.mark).order_by(Suppression.list, Suppression.mark)
        )
        return [(row.list, row.mark) for row in found]


def count(post: Any, table: Any) -> int:
    with post.engine.connect() as connection:
        return connection.scalars(select(func.count()).select_from(table)).one()


def test_a_mail_preference_file_suppresses_the_people_in_it_by_name_and_address(post: Any) -> None:
    done = taken_in(post, DMA)

    assert (done.rows, done.added, done.known, done.rejected) == (2, 2, 0, 0)
    assert entries(post) == [("do-not-mail", IdentityKind.PERSON)] * 2
    campaign = post.submit(
        "Ann,Lee,,12 Oak Street #4,Boston,MA,02108,,\nAbe,Lee,,12 Oak Street #4,Boston,MA,02108,,\n"
    )
    post.job(campaign)
    assert post.outcomes(campaign) == ["suppressed", "accepted"]


def test_the_same_file_again_adds_nobody(post: Any) -> None:
    taken_in(post, DMA)

    again = taken_in(post, DMA)

    assert (again.added, again.known) == (0, 2)


def test_by_households_everybody_at_an_address_is_suppressed(post: Any) -> None:
    taken_in(post, DMA, households=True)

    campaign = post.submit("Abe,Lee,,12 Oak Street #4,Boston,MA,02108,,\n")
    post.job(campaign)

    assert post.outcomes(campaign) == ["suppressed"]


def test_every_mark_of_a_row_counts_and_one_column_is_enough(post: Any) -> None:
    taken_in(post, "Name,Address,ZIP,Email,Customer ID\nAnn Lee,12 Oak St,2108,a@b.com,C-1\n", name="all")
    taken_in(post, "E-mail\na@b.com\nc@d.com\n", name="emails")

    assert [one for name, one in entries(post) if name == "all"] == [
        IdentityKind.CUSTOMER,
        IdentityKind.EMAIL,
        IdentityKind.PERSON,
    ]
    assert [one for name, one in entries(post) if name == "emails"] == [IdentityKind.EMAIL] * 2


def test_a_row_that_names_nobody_is_written_down_and_the_rest_counts(post: Any, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"

    done = taken_in(
        post, "Name,Address,ZIP\nAnn Lee,12 Oak St,2108\nBen,9 Elm,xx\nCal,,\n", rejected_to=rejects
    )

    assert (done.added, done.rejected, [row for row, _ in done.first_rejected]) == (1, 2, [3, 4])
    assert "malformed_zip" in rejects.read_text()
    assert rejects.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("Name,Phone\nAnn,1\n", "No column says who is not to be mailed"),
        ("ann@example.com\nben@example.com\n", "looks like a person"),
        ("Email\n", "no rows"),
        ("Email,Note\n,a\n,b\n", "None of the 2 rows names a person"),
        ('Email\n"ann@example.com\n', "never closed"),
        (b"PK\x03\x04" + bytes(60), "damaged workbook"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_one_line_and_nothing_is_stored(
    post: Any, content: str | bytes, words: str
) -> None:
    with pytest.raises(IntakeError, match=words) as refusal:
        taken_in(post, content, name="fresh")

    assert "\n" not in str(refusal.value)
    assert "example.com" not in str(refusal.value)
    assert (entries(post), count(post, SuppressionList)) == ([], 1)


CELLS = st.one_of(
    st.sampled_from(
        ["Ann", "12 Oak St", "MA", "02108", "2108", "a@b.com", "Name", "Address", "ZIP", "Email"]
    ),
    st.text(max_size=12),
)
TABLES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.tuples(
        st.sampled_from(
            [
                "Name,Address,City,State,ZIP,Email\n",
                "First name;Last name;Street;City;ST;Postal code\n",
                "Email\n",
                "Customer ID,Name,Address,City,State,ZIP\n",
            ]
        ),
        st.lists(st.lists(CELLS, max_size=7), max_size=6),
        st.sampled_from([",", ";", '","', "\n", '"']),
    ).map(
        lambda made: (made[0] + "\n".join(made[2].join(row) for row in made[1])).encode(
            "utf-8", "surrogatepass"
        )
    ),
)


def stored(post: Any) -> tuple[int, ...]:
    return tuple(count(post, table) for table in (Campaign, Mailing, Recipient, Suppression, SuppressionList))


def submitted(post: Any, content: bytes) -> None:
    submit_campaign(post.engine, io.BytesIO(content), Options(template_id=1))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=TABLES)
def test_whatever_a_file_holds_it_is_taken_in_or_refused_in_one_line_with_nothing_stored(
    post: Any, content: bytes
) -> None:
    for take in (taken_in, submitted):
        before, refusal = stored(post), None
        try:
            take(post, content)
        except IntakeError as error:
            refusal = error
        if refusal is not None:
            assert (len(str(refusal).splitlines()), stored(post)) == (1, before)


def test_a_row_with_too_many_cells_is_written_down_and_suppresses_nobody(post: Any, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"

    done = taken_in(
        post, "Email,Note\nann@example.com,a,b\nben@example.com,\ncal@example.com,c,\n", rejected_to=rejects
    )

    assert (done.rows, done.added, done.rejected) == (3, 2, 1)
    assert done.first_rejected[0][0] == 2
    assert "too_many_cells" in rejects.read_text()


def test_a_suppression_list_is_read_by_the_mapping_that_was_saved_for_its_headings(post: Any) -> None:
    with post.engine.begin() as connection:
        save_mapping(
            connection,
            "opt-outs",
            ["Contact", "Remark"],
            {"Contact": "email"},
            who="test",
            now=datetime(2026, 3, 2, tzinfo=UTC),
        )

    done = taken_in(post, "Remark,Contact\nmoved,ann@example.com\n")
    other = taken_in(post, "Remark,Contact\nC-1,b\n", mapping={"Remark": "customer_id"})

    assert (done.added, other.added) == (1, 1)
    assert [mark for _, mark in entries(post)] == [IdentityKind.CUSTOMER, IdentityKind.EMAIL]
