"""A person gets a template once within a window, whatever file or key the campaign came with."""

import csv
import io
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, select, update

from intake.campaigns.recent_pieces import Again, RecentPiecesError, find_recent_pieces
from intake.campaigns.submit import Submission, submit_campaign
from intake.errors import ErrorCode, IntakeError
from intake.options import Options, Speed
from models import Campaign, Mailing, Outcome, Recipient, RejectedRow, State
from tests.integration.intake.test_campaigns import (
    PATIENCE_SECONDS,
    count,
    wait_until_somebody_waits_for_a_lock,
)

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
OPTIONS = Options(template_id=1002)
HEADINGS = ["First name", "Last name", "Address", "City", "State", "ZIP", "custom1"]
People = list[list[str]]

submit = partial(submit_campaign, clock=lambda: NOON)


def people(first: int, last: int, plan: str = "gold") -> People:
    return [[f"Ann{n}", "Lee", f"{n + 1} Oak St", "Boston", "MA", "02108", plan] for n in range(first, last)]


def as_csv(rows: People, *, delimiter: str = ",", end: str = "\n", encoding: str = "utf-8") -> BytesIO:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows([HEADINGS, *rows])
    return BytesIO(text.getvalue().encode(encoding))


def change(engine: Engine, campaign_id: int, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(update(Mailing).where(Mailing.campaign_id == campaign_id).values(**values))


def change_people(engine: Engine, campaign_id: int, **values: Any) -> None:
    theirs = select(Mailing.id).where(Mailing.campaign_id == campaign_id)
    with engine.begin() as connection:
        connection.execute(update(Recipient).where(Recipient.mailing_id.in_(theirs)).values(**values))


def paid(engine: Engine, campaign_id: int, ago: timedelta) -> None:
    values = {"state": State.SENT, "stage": "settle", "order_id": campaign_id, "wake_at": None}
    change(engine, campaign_id, paid_at=NOON - ago, **values)


@pytest.mark.parametrize(
    "saved_anew",
    [
        partial(as_csv, end="\r\n"),
        partial(as_csv, encoding="utf-8-sig"),
        partial(as_csv, encoding="utf-16"),
        partial(as_csv, delimiter=";"),
        lambda rows: as_csv(sorted(rows, key=lambda row: row[2])),
        lambda rows: as_csv([[cell.upper() for cell in row[:6]] + row[6:] for row in rows]),
        lambda rows: as_csv([*rows, rows[0]]),
    ],
    ids=["CRLF", "BOM", "UTF-16", "semicolons", "sorted", "capitals", "with a duplicate"],
)
def test_a_list_saved_anew_is_the_same_campaign(
    engine: Engine, saved_anew: Callable[[People], BytesIO]
) -> None:
    rows = people(0, 40)
    first = submit(engine, as_csv(rows), OPTIONS)

    again = submit(engine, saved_anew(rows), OPTIONS)

    assert (again.created, again.campaign_id) == (False, first.campaign_id)
    assert (count(engine, Campaign), count(engine, Recipient)) == (1, 40)


@pytest.mark.parametrize("key", [None, "autumn"])
def test_people_who_got_the_template_lately_are_found_before_anything_is_queued(
    engine: Engine, key: str | None
) -> None:
    first = submit(engine, as_csv(people(0, 243)), OPTIONS, key="summer")
    change(engine, first.campaign_id, created_at=NOON)

    with pytest.raises(RecentPiecesError) as refused:
        submit(engine, as_csv(people(0, 245)), OPTIONS, key=key, clock=lambda: NOON + timedelta(seconds=40))

    assert refused.value.fault is ErrorCode.MAILED_LATELY
    begin = "243 of these 245 people got template 1002 from campaign 1, 40 seconds ago"
    assert str(refused.value).startswith(begin)
    assert (count(engine, Campaign), count(engine, Recipient)) == (1, 243)


def test_only_the_new_people_are_mailed_when_told_and_once(engine: Engine) -> None:
    submit(engine, as_csv(people(0, 20)), OPTIONS)

    added = submit(engine, as_csv(people(0, 23)), OPTIONS, again="new", batch_size=2)
    repeated = submit(engine, as_csv(people(0, 23)), OPTIONS, again="new", batch_size=2)

    assert (added.rows, added.people, added.rejected, added.mailings) == (23, 3, 20, 2)
    assert (repeated.created, repeated.campaign_id) == (False, added.campaign_id)
    with engine.connect() as connection:
        noted = connection.execute(select(RejectedRow.code, func.count()).group_by(RejectedRow.code)).all()
        sizes = connection.scalars(select(Mailing.size).where(Mailing.campaign_id == added.campaign_id)).all()
    assert [tuple(one) for one in noted] == [("mailed_lately", 20)]
    assert sorted(sizes) == [1, 2]


def test_nobody_is_left_when_only_new_people_are_wanted_and_there_are_none(engine: Engine) -> None:
    submit(engine, as_csv(people(0, 20)), OPTIONS)

    with pytest.raises(IntakeError, match="got this template from campaign 1") as refused:
        submit(engine, as_csv(people(3, 20)), OPTIONS, again="new")

    assert refused.value.fault is ErrorCode.NOBODY_TO_MAIL
    assert count(engine, Campaign) == 1


def test_everybody_is_mailed_again_when_told(engine: Engine) -> None:
    submit(engine, as_csv(people(0, 20)), OPTIONS)

    again = submit(engine, as_csv(people(0, 20)), OPTIONS, again=Again.EVERYBODY)

    assert (again.created, again.people) == (True, 20)


def test_an_unknown_word_for_again_is_refused(engine: Engine) -> None:
    with pytest.raises(IntakeError, match="everybody or new"):
        submit(engine, as_csv(people(0, 1)), OPTIONS, again="nobody")


@pytest.mark.parametrize(
    "changed", [{"plan": "silver"}, {"options": Options(template_id=1002, speed=Speed.EXPEDITED_FASTER)}]
)
def test_other_merge_values_or_options_are_another_campaign_to_the_same_people(
    engine: Engine, changed: dict[str, Any]
) -> None:
    submit(engine, as_csv(people(0, 5)), OPTIONS)

    with pytest.raises(RecentPiecesError, match="5 of these 5 people"):
        submit(engine, as_csv(people(0, 5, changed.get("plan", "gold"))), changed.get("options", OPTIONS))


def test_another_template_asks_nothing(engine: Engine) -> None:
    submit(engine, as_csv(people(0, 5)), OPTIONS)

    assert submit(engine, as_csv(people(0, 5)), Options(template_id=1003)).created


@pytest.mark.parametrize(("days", "asks"), [(29, True), (31, False)])
@pytest.mark.parametrize("key", [None, "autumn"])
def test_a_paid_piece_counts_for_the_days_of_the_window(
    engine: Engine, days: int, key: str | None, *, asks: bool
) -> None:
    first = submit(engine, as_csv(people(0, 5)), OPTIONS, key="summer")
    paid(engine, first.campaign_id, timedelta(days=days))

    if asks:
        with pytest.raises(RecentPiecesError, match=f"from campaign 1, {days} days ago"):
            submit(engine, as_csv(people(0, 6)), OPTIONS, key=key)
    else:
        assert submit(engine, as_csv(people(0, 6)), OPTIONS, key=key).created


def test_the_window_is_a_setting(engine: Engine) -> None:
    first = submit(engine, as_csv(people(0, 5)), OPTIONS)
    paid(engine, first.campaign_id, timedelta(days=31))

    with pytest.raises(RecentPiecesError):
        submit(engine, as_csv(people(0, 6)), OPTIONS, repeat_window=timedelta(days=40))


def test_the_same_list_is_a_new_campaign_once_the_window_is_over(engine: Engine) -> None:
    first = submit(engine, as_csv(people(0, 5)), OPTIONS)
    paid(engine, first.campaign_id, timedelta(days=31))

    again = submit(engine, as_csv(people(0, 5)), OPTIONS)

    assert (again.created, again.campaign_id) == (True, 2)


def test_a_mailing_under_way_counts_however_old_it_is(engine: Engine) -> None:
    submit(engine, as_csv(people(0, 5)), OPTIONS)

    with pytest.raises(RecentPiecesError, match="queued, not paid yet"):
        submit(engine, as_csv(people(0, 6)), OPTIONS, clock=lambda: NOON + timedelta(days=90))


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
@pytest.mark.parametrize("added", [0, 1])
def test_a_campaign_that_ended_unpaid_does_not_count(engine: Engine, state: State, added: int) -> None:
    first = submit(engine, as_csv(people(0, 5)), OPTIONS)
    change(engine, first.campaign_id, state=state, reason="x", wake_at=None)

    assert submit(engine, as_csv(people(0, 5 + added)), OPTIONS).created


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.SUPPRESSED, Outcome.CAPPED, Outcome.HOUSEHOLD])
def test_people_whom_the_earlier_campaign_did_not_mail_do_not_count(engine: Engine, outcome: Outcome) -> None:
    first = submit(engine, as_csv(people(0, 5)), OPTIONS)
    change_people(engine, first.campaign_id, outcome=outcome)

    assert submit(engine, as_csv(people(0, 6)), OPTIONS).created


def test_people_are_known_after_their_data_was_blanked(engine: Engine) -> None:
    first = submit(engine, as_csv(people(0, 5)), OPTIONS)
    blank = {"first_name": None, "last_name": None, "address1": "", "city": "", "state": "", "zip_code": ""}
    change_people(engine, first.campaign_id, **blank)

    with pytest.raises(RecentPiecesError, match="5 of these 6 people"):
        submit(engine, as_csv(people(0, 6)), OPTIONS)


def test_people_of_several_campaigns_are_counted_for_each(engine: Engine) -> None:
    submit(engine, as_csv(people(0, 5)), OPTIONS)
    submit(engine, as_csv(people(5, 8)), OPTIONS)

    with pytest.raises(
        RecentPiecesError, match=r"8 of these 9 people .* lately: 5 from campaign 1, .*; 3 from campaign 2, "
    ):
        submit(engine, as_csv(people(0, 9)), OPTIONS)


def test_who_got_a_template_lately_can_be_looked_up_without_submitting(engine: Engine) -> None:
    submit(engine, as_csv(people(0, 5)), OPTIONS)
    with engine.connect() as connection:
        digests = connection.scalars(select(Recipient.person_digest)).all()

        recent = find_recent_pieces(connection, 1002, [*digests[:3], b"another", None], NOON)

    assert (recent.people, recent.repeated) == (5, 3)
    assert [(one.kind, one.id, one.people) for one in recent.senders()] == [("campaign", 1, 3)]


def test_of_two_lists_with_the_same_people_at_once_one_is_refused(engine: Engine, database_url: str) -> None:
    inside, go_on = threading.Event(), threading.Event()
    done: list[Submission] = []
    refused: list[RecentPiecesError] = []

    def pause(_: int) -> None:
        inside.set()
        go_on.wait(PATIENCE_SECONDS)

    def submit_slowly() -> None:
        done.append(submit(engine, as_csv(people(0, 5)), OPTIONS, key="one", progress=pause))

    def submit_meanwhile() -> None:
        other = create_engine(database_url)
        try:
            done.append(submit(other, as_csv(people(0, 6)), OPTIONS, key="two"))
        except RecentPiecesError as error:
            refused.append(error)
        other.dispose()

    threads = [threading.Thread(target=submit_slowly), threading.Thread(target=submit_meanwhile)]
    threads[0].start()
    assert inside.wait(PATIENCE_SECONDS)
    threads[1].start()
    wait_until_somebody_waits_for_a_lock(engine)
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)

    assert ([one.key for one in done], len(refused)) == (["one"], 1)
    assert count(engine, Recipient) == 5


def corrected(path: Path, **cells: str) -> BytesIO:
    """Return a file of rejected rows after a person put these cells right in every row."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        headings, *rows = csv.reader(file)
    for row in rows:
        for heading, cell in cells.items():
            row[headings.index(heading.replace("_", " "))] = cell
    text = io.StringIO()
    csv.writer(text).writerows([headings, *rows])
    return BytesIO(text.getvalue().encode())


def test_a_duplicate_is_not_in_the_file_of_rejected_rows(engine: Engine, tmp_path: Path) -> None:
    rows = people(0, 3)
    doubled, broken = rows[1], ["Bo", "Kim", "1 Elm St", "Reno", "NV", "12345", "x"]

    done = submit(engine, as_csv([*rows, doubled, broken]), OPTIONS, rejected_to=tmp_path / "rejected.csv")
    only = submit(engine, as_csv([*people(7, 9), *people(7, 9)]), OPTIONS, rejected_to=tmp_path / "no.csv")

    assert (done.rejected, only.rejected) == (2, 2)
    (row,) = csv.DictReader(io.StringIO((tmp_path / "rejected.csv").read_text(encoding="utf-8-sig")))
    assert (row["Row"], row["First name"]) == ("6", "Bo")
    assert not (tmp_path / "no.csv").exists()


def test_a_corrected_list_mails_none_of_the_people_of_its_campaign_again(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "rejected.csv"
    twice, broken = (
        ["Ann1", "Lee", "2 Oak St", "Boston", "MA", "99999", "x"],
        ["Bo", "Kim", "1 Elm St", "Boston", "MA", "99999", "x"],
    )
    first = submit(engine, as_csv([*people(0, 3), twice, broken]), OPTIONS, rejected_to=path)
    paid(engine, first.campaign_id, timedelta(days=60))

    other = Options(template_id=1003)
    mended = submit(engine, corrected(path, ZIP="02108"), other, again="everybody", rejected_to=path)

    assert (mended.people, mended.rejected) == (1, 1)
    with engine.connect() as connection:
        names = connection.scalars(
            select(Recipient.first_name)
            .join(Mailing, Mailing.id == Recipient.mailing_id)
            .where(Mailing.campaign_id == mended.campaign_id)
        ).all()
        codes = connection.scalars(
            select(RejectedRow.code).where(RejectedRow.campaign_id == mended.campaign_id)
        ).all()
    assert (names, codes) == (["Bo"], ["in_corrected_campaign"])


def test_a_list_corrected_twice_knows_its_first_campaign_too(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    twice, broken = (
        ["Ann1", "Lee", "2 Oak St", "Boston", "MA", "99999", "x"],
        ["Bo", "Kim", "1 Elm St", "Boston", "MA", "02108", "x"],
    )
    first = submit(engine, as_csv([*people(0, 3), twice]), OPTIONS, rejected_to=path)
    paid(engine, first.campaign_id, timedelta(days=60))
    with path.open(encoding="utf-8-sig", newline="") as file:
        headings, row = csv.reader(file)
    text = io.StringIO()
    csv.writer(text).writerows([headings, row, [*row[:4], *broken]])
    second = submit(engine, BytesIO(text.getvalue().encode()), OPTIONS, rejected_to=path)
    paid(engine, second.campaign_id, timedelta(days=60))

    with pytest.raises(IntakeError, match="in campaign 1 already"):
        submit(engine, corrected(path, ZIP="02108"), OPTIONS)


def test_the_number_of_another_installations_campaign_means_nothing(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    twice = ["Ann1", "Lee", "2 Oak St", "Boston", "MA", "99999", "x"]
    first = submit(engine, as_csv([*people(0, 3), twice]), OPTIONS, rejected_to=path)
    paid(engine, first.campaign_id, timedelta(days=60))

    assert submit(engine, corrected(path, ZIP="02108", Mailrun_campaign="c1-0123456789ab"), OPTIONS).created
