import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, select, text

import lettrlabs
from intake.campaigns.recent_pieces import RecentPiecesError
from intake.campaigns.submit import Submission, submit_campaign
from intake.csv.preview import check_campaign
from intake.errors import ConflictError, ErrorCode, IntakeError, TableError
from intake.options import Options, Postage, Speed
from intake.reasons import ReasonCode
from models import Approval, Base, Campaign, Mailing, Priority, Recipient, RejectedRow, Stage, State

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
OPTIONS = Options(template_id=7)
BAD_ZIP = "Bo,Kim,1 Elm St,Reno,NV,12345,x"
PATIENCE_SECONDS = 20.0


submit = partial(submit_campaign, clock=lambda: NOON)


def count(engine: Engine, table: type[Base]) -> int:
    with engine.connect() as connection:
        return connection.scalars(select(func.count()).select_from(table)).one()


def test_a_list_becomes_mailings_of_the_batch_size_with_everybody_in_their_order(
    engine: Engine, people_list: Callable[..., BytesIO]
) -> None:
    options = Options(
        template_id=7, postage=Postage.FIRST_CLASS, speed=Speed.EXPEDITED_FASTER, approval=Approval.REQUIRED
    )

    done = submit(engine, people_list(25), options, batch_size=10, name="Spring", key="spring")

    assert (done.created, done.rows, done.people, done.rejected, done.mailings) == (True, 25, 25, 0, 3)
    with engine.connect() as connection:
        mailings = connection.execute(select(*Mailing.__table__.columns).order_by(Mailing.batch)).all()
        people = connection.execute(select(*Recipient.__table__.columns).order_by(Recipient.row)).all()
    assert [(one.size, one.batch, one.campaign_id) for one in mailings] == [
        (10, 0, done.campaign_id),
        (10, 1, done.campaign_id),
        (5, 2, done.campaign_id),
    ]
    first = mailings[0]
    assert (first.stage, first.state, first.priority) == (Stage.CREATE, State.QUEUED, Priority.CAMPAIGN)
    assert (first.wake_at, first.not_before) == (NOON, NOON)
    assert (first.template_id, first.postage, first.speed) == (7, "FirstClass", "ExpeditedFaster")
    assert first.approval is Approval.REQUIRED
    assert [(one.row, one.position) for one in people[9:11]] == [(11, 9), (12, 0)]
    assert (people[3].first_name, people[3].zip_code, people[3].merge) == (
        "Ann3",
        "02108",
        {"custom1": "plan 3"},
    )
    assert (people[3].address2, people[3].country) == (None, "US")


def test_rejected_rows_and_duplicates_are_noted_and_written_and_the_rest_is_mailed(
    engine: Engine, people_list: Callable[..., BytesIO], tmp_path: Path
) -> None:
    rejected_to = tmp_path / "list.rejected.csv"

    done = submit(
        engine,
        people_list(3, BAD_ZIP, "ANN1,LEE,2 oak street,Boston,MA,02108,x"),
        OPTIONS,
        rejected_to=rejected_to,
    )

    assert (done.rows, done.people, done.rejected) == (5, 3, 2)
    with engine.connect() as connection:
        noted = connection.execute(select(RejectedRow.row, RejectedRow.code).order_by(RejectedRow.row)).all()
    assert [tuple(one) for one in noted] == [(5, "zip_in_other_state"), (6, "duplicate")]
    assert rejected_to.read_text(encoding="utf-8-sig").count("\n") == 2


def test_the_same_list_submitted_twice_is_one_campaign_with_or_without_a_key(
    engine: Engine, people_list: Callable[..., BytesIO]
) -> None:
    first = submit(engine, people_list(5), OPTIONS, key="spring")
    again = submit(engine, people_list(5), OPTIONS, key="spring", name="Another name")
    unnamed = submit(engine, people_list(5), OPTIONS, again="everybody")
    doubled = submit(engine, people_list(5), OPTIONS)

    assert (again.created, again.campaign_id, again.name) == (False, first.campaign_id, first.name)
    assert (again.people, again.mailings) == (5, 1)
    assert (doubled.created, doubled.campaign_id) == (False, unnamed.campaign_id)
    assert unnamed.campaign_id != first.campaign_id
    assert count(engine, Recipient) == 10


def test_another_list_under_the_same_key_is_a_conflict_that_changes_nothing(
    engine: Engine, people_list: Callable[..., BytesIO]
) -> None:
    first = submit(engine, people_list(5), OPTIONS, key="spring")

    with pytest.raises(ConflictError, match="nothing was sent") as conflict:
        submit(engine, people_list(6), OPTIONS, key="spring")

    assert conflict.value.existing == first.campaign_id
    assert (count(engine, Campaign), count(engine, Recipient)) == (1, 5)


def test_the_same_list_with_other_options_needs_a_word_to_be_mailed_again(
    engine: Engine, people_list: Callable[..., BytesIO]
) -> None:
    submit(engine, people_list(5), OPTIONS)
    faster = Options(template_id=7, speed=Speed.EXPEDITED_FASTEST)

    for key in (None, "another"):
        with pytest.raises(RecentPiecesError, match="5 of these 5 people got template 7 from campaign 1"):
            submit(engine, people_list(5), faster, key=key)
    assert submit(engine, people_list(5), faster, key="again", again="everybody").created


def test_a_list_without_anybody_to_mail_leaves_its_reasons_and_nothing_else(
    engine: Engine, people_list: Callable[..., BytesIO], tmp_path: Path
) -> None:
    with pytest.raises(IntakeError) as error:
        submit(engine, people_list(0, BAD_ZIP), OPTIONS, rejected_to=tmp_path / "rejected.csv")

    assert error.value.fault is ErrorCode.NOBODY_TO_MAIL
    assert (tmp_path / "rejected.csv").exists()
    assert count(engine, Campaign) == 0


def test_a_list_that_breaks_in_its_middle_leaves_nothing_half_written(
    engine: Engine, people_list: Callable[..., BytesIO], tmp_path: Path
) -> None:
    broken = people_list(50, BAD_ZIP, '"Bo,Kim,1 Elm St,Reno,NV,89501,x')

    with pytest.raises(TableError):
        submit(engine, broken, OPTIONS, batch_size=10, rejected_to=tmp_path / "rejected.csv")

    assert [count(engine, table) for table in (Campaign, Mailing, Recipient, RejectedRow)] == [0, 0, 0, 0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("batch_size", [0, 50_001])
def test_an_impossible_batch_size_is_refused(
    engine: Engine, people_list: Callable[..., BytesIO], batch_size: int
) -> None:
    with pytest.raises(IntakeError, match="batch size"):
        submit(engine, people_list(1), OPTIONS, batch_size=batch_size)


@pytest.mark.parametrize("key", ["", " ", "a\nb", "campaign:1:0", "x" * 201])
def test_a_key_that_cannot_be_told_apart_is_refused(
    engine: Engine, people_list: Callable[..., BytesIO], key: str
) -> None:
    with pytest.raises(IntakeError, match="A key is"):
        submit(engine, people_list(1), OPTIONS, key=key)


def test_a_submission_killed_in_its_middle_leaves_nothing_and_is_whole_when_made_again(
    engine: Engine,
    database_url: str,
    people_list: Callable[..., BytesIO],
    programs: Any,
    tmp_path: Path,
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(people_list(20_000).getvalue())
    stopped_on_the_way = (
        "import sys, time; from pathlib import Path; from sqlalchemy import create_engine\n"
        "from intake.campaigns.submit import submit_campaign; from intake.options import Options\n"
        "def progress(rows):\n"
        "    if rows > 15000:\n"
        "        print('most of it is written', flush=True)\n"
        "        time.sleep(600)\n"
        "submit_campaign(create_engine(sys.argv[1]), Path(sys.argv[2]), Options(template_id=7),\n"
        "                batch_size=500, progress=progress)\n"
    )
    program = programs.start(
        "submit", sys.executable, "-c", stopped_on_the_way, database_url, str(path), env={}
    )
    program.wait_for("most of it is written")
    program.kill()

    done = submit(engine, path, OPTIONS, batch_size=500)

    assert (done.created, done.people, done.mailings) == (True, 20_000, 40)
    assert (count(engine, Campaign), count(engine, Recipient)) == (1, 20_000)


def test_two_submissions_of_one_key_at_once_make_one_campaign(
    engine: Engine, database_url: str, people_list: Callable[..., BytesIO]
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    done: list[Submission] = []

    def pause(_: int) -> None:
        inside.set()
        go_on.wait(PATIENCE_SECONDS)

    def submit_slowly() -> None:
        done.append(submit(engine, people_list(5), OPTIONS, key="spring", progress=pause))

    def submit_meanwhile() -> None:
        other = create_engine(database_url)
        done.append(submit(other, people_list(5), OPTIONS, key="spring"))
        other.dispose()

    threads = [threading.Thread(target=submit_slowly), threading.Thread(target=submit_meanwhile)]
    threads[0].start()
    assert inside.wait(PATIENCE_SECONDS)
    threads[1].start()
    wait_until_somebody_waits_for_a_lock(engine)
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)

    assert [one.created for one in done] == [True, False]
    assert done[0].campaign_id == done[1].campaign_id
    assert count(engine, Recipient) == 5


def wait_until_somebody_waits_for_a_lock(engine: Engine) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(waiting):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_list_is_looked_over_without_a_database(
    people_list: Callable[..., BytesIO], tmp_path: Path
) -> None:
    steps: list[int] = []
    rejected_to = tmp_path / "rejected.csv"

    found = check_campaign(people_list(1500, BAD_ZIP), rejected_to=rejected_to, progress=steps.append)

    assert (found.tally.rows, found.tally.people, found.tally.rejected) == (1501, 1500, 1)
    assert found.tally.reasons == {ReasonCode.ZIP_IN_OTHER_STATE: 1}
    assert found.tally.first_rejected[0][0] == 1502
    assert found.columns.merge_fields == {"custom1": "Custom 1"}
    assert found.samples.filled() == [("custom1", "Custom 1", ("plan 0", "plan 1"))]
    assert steps[-1] == 1501
    assert sorted(steps) == steps
    assert len(set(steps)) > 1
    assert rejected_to.exists()


def test_the_words_for_postage_and_speed_are_the_vendors() -> None:
    assert [*Postage] == [*lettrlabs.Postage]
    assert [*Speed] == [*lettrlabs.ProductionSpeed]
