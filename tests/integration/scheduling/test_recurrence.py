import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from intake.campaigns.recent_pieces import RecentPiecesError
from intake.campaigns.submit import Submission, submit_campaign
from intake.options import Options
from models import Budget, BudgetScope, Campaign, CatchUp, IfLate, Mailing, Recipient, Recurrence, State
from worker.periodic import recurrences
from worker.scheduling import recurrence_rules
from worker.scheduling.cron import read_cron
from worker.scheduling.recurrence_rules import LEAD, RecurrenceRule
from worker.scheduling.schedule import Schedule
from worker.transitions.occurrences import ASKED

DAY = timedelta(days=1)
PEOPLE = "First Name,Last Name,Address,City,State,ZIP\nAda,Byron,{} Main Street,Springfield,IL,62701\n"


@pytest.fixture
def submit(context: Any, clock: Any, tmp_path: Path) -> Any:
    def a_list(cron: str, zone: str = "UTC", catch_up: CatchUp = CatchUp.LAST) -> Submission:
        path = tmp_path / "people.csv"
        path.write_text(PEOPLE.format(100) + PEOPLE.format(200).splitlines()[1] + "\n")
        repeats = RecurrenceRule(read_cron(cron), zone, catch_up)
        options = Options(template_id=1001)
        return submit_campaign(context.engine, path, options, repeats=repeats, batch_size=1, clock=clock)

    return a_list


def occurrences(context: Any) -> list[datetime]:
    with context.engine.connect() as connection:
        return list(connection.scalars(select(Campaign.occurrence_at).order_by(Campaign.occurrence_at)))


def open_on(context: Any, clock: Any, days: int) -> None:
    """Let the beat tick twice a day."""
    for _ in range(2 * days):
        clock.at += DAY / 2
        recurrences.open_due(context.engine, clock.at)


def test_each_occurrence_is_a_campaign_to_the_same_people_at_its_own_time(
    submit: Any, context: Any, clock: Any
) -> None:
    first = submit("0 9 * * *", "America/New_York")

    open_on(context, clock, 4)

    found = occurrences(context)
    assert len(found) >= 4
    assert {at.astimezone(UTC) for at in found} <= set(_days_at_nine(found[0], len(found)))
    with context.engine.connect() as connection:
        rows = connection.execute(
            select(Mailing.campaign_id, Mailing.send_at, Mailing.state, Recipient.address1)
            .join(Recipient, Recipient.mailing_id == Mailing.id)
            .order_by(Mailing.campaign_id, Mailing.batch)
        ).all()
    by_campaign = {row.campaign_id: row.send_at for row in rows}
    assert list(by_campaign.values()) == found
    assert [row.address1 for row in rows] == ["100 Main Street", "200 Main Street"] * len(found)
    assert rows[0].campaign_id == first.campaign_id
    assert {row.state for row in rows} == {State.QUEUED}


def _days_at_nine(first: datetime, count: int) -> list[datetime]:
    found = read_cron("0 9 * * *").after(first - timedelta(seconds=1), "America/New_York")
    return [next(found) for _ in range(count)]


def test_two_beats_at_once_open_an_occurrence_once(submit: Any, context: Any, clock: Any) -> None:
    submit("0 9 * * *")
    opened: list[int] = []
    for _ in range(6):
        clock.at += DAY
        start = threading.Barrier(3)

        def beat(start: threading.Barrier = start) -> None:
            start.wait()
            opened.append(recurrences.open_due(context.engine, clock.at))

        beats = [threading.Thread(target=beat) for _ in range(3)]
        for one in beats:
            one.start()
        for one in beats:
            one.join()

    found = occurrences(context)
    assert len(found) == len(set(found)) == 1 + sum(opened)


def test_a_beat_that_lost_its_memory_opens_nothing_twice(submit: Any, context: Any, clock: Any) -> None:
    submit("0 9 * * *")
    open_on(context, clock, 3)
    before = occurrences(context)
    with context.engine.begin() as connection:
        connection.execute(
            Recurrence.__table__.update().values(last_at=before[0], wake_at=before[0], catch_up=CatchUp.ALL)
        )

    recurrences.open_due(context.engine, clock.at)

    assert occurrences(context) == before


@pytest.mark.parametrize(("policy", "missed"), [(CatchUp.ALL, 5), (CatchUp.LAST, 1), (CatchUp.NONE, 0)])
def test_after_a_standstill_is_made_up_for_what_the_policy_says(
    submit: Any, context: Any, clock: Any, policy: CatchUp, missed: int
) -> None:
    submit("0 9 * * *", catch_up=policy)
    first = occurrences(context)[0]

    clock.at = first + 5 * DAY + timedelta(hours=3)
    recurrences.open_due(context.engine, clock.at)

    late = [at for at in occurrences(context) if first < at <= clock.at]
    assert late == [first + n * DAY for n in range(1, 6)][5 - missed :]
    with context.engine.connect() as connection:
        policies = connection.scalars(select(Mailing.if_late).where(Mailing.send_at.in_(late))).all()
        ahead = connection.scalars(select(Mailing.if_late).where(Mailing.send_at > clock.at)).all()
    assert set(policies) <= {IfLate.SEND}
    assert set(ahead) == {IfLate.ASK}


def test_the_next_is_opened_a_day_ahead_and_only_the_next(submit: Any, context: Any) -> None:
    submit("0 9 1 * *")
    first = occurrences(context)[0]
    following = next(read_cron("0 9 1 * *").after(first, "UTC"))

    recurrences.open_due(context.engine, following - LEAD - timedelta(seconds=1))
    assert occurrences(context) == [first]
    recurrences.open_due(context.engine, following - LEAD)

    assert occurrences(context) == [first, following]


def test_a_stopped_rule_opens_no_more(submit: Any, context: Any, clock: Any) -> None:
    submit("0 9 * * *")
    with context.engine.begin() as connection:
        rule = connection.scalars(select(Recurrence.id)).one()
        assert recurrence_rules.end(connection, rule, clock.at)

    open_on(context, clock, 3)

    assert len(occurrences(context)) == 1


def test_the_same_list_under_the_same_rule_is_one_rule(submit: Any, context: Any, clock: Any) -> None:
    first = submit("0 9 * * *")
    clock.at += 2 * DAY

    again = submit("0 9 * * *")

    assert (again.campaign_id, again.created) == (first.campaign_id, False)
    with context.engine.connect() as connection:
        assert len(connection.scalars(select(Recurrence.id)).all()) == 1


def test_an_occurrence_has_the_limits_of_money_and_the_rules_of_the_first(
    submit: Any, context: Any, clock: Any
) -> None:
    first = submit("0 9 * * *")
    with context.engine.begin() as connection:
        its = {"purse": BudgetScope.CAMPAIGN, "subject": first.campaign_id, "per_piece": Decimal("1.50")}
        connection.execute(insert(Budget), {**its, "set_by": "tester", "set_at": clock.at})
        connection.execute(update(Mailing).values(one_per_household=True))

    open_on(context, clock, 2)

    with context.engine.connect() as connection:
        campaigns = connection.scalars(select(Campaign.id)).all()
        limits = connection.execute(select(Budget.subject, Budget.per_piece))
        assert {tuple(row) for row in limits} == {(one, Decimal("1.50")) for one in campaigns}
        assert set(connection.scalars(select(Mailing.one_per_household))) == {True}


def test_every_column_of_a_mailing_is_copied_or_its_own_or_tells_how_far_it_is() -> None:
    scheduled = set(Schedule().columns()) | {"campaign_id", "key", "not_before", "wake_at"}

    columns = {column.name for column in Mailing.__table__.columns}

    assert columns - set(ASKED) - scheduled == _PROGRESS


_PROGRESS = {
    *("id", "stage", "state", "claim", "lease_until", "recovering", "unsure_since", "resends", "attempts"),
    *("waits", "cancel_requested", "reason_code", "reason", "trigger_id", "approved_at", "approved_by"),
    *("order_id", "order_fence", "cursor", "accepted", "rejected", "recipients_digest", "proof_sha256"),
    *("quoted", "charged", "order_status", "paid_at", "created_at", "updated_at", "price_until"),
    *("price_after", "forgotten_at", "order_written_at", "missing_since", "unanswered_since"),
    *("quoted_from_credits", "charged_from_credits"),
}


def test_an_occurrence_goes_all_the_way_at_its_time(
    submit: Any, context: Any, clock: Any, post: Any, paid: Any
) -> None:
    submit("30 9 * * *", "America/Phoenix")
    first = occurrences(context)[0]
    post.tick()
    assert paid() == []

    clock.go_to(first)
    post.tick()

    assert len(paid()) == 2


def test_an_occurrence_does_not_copy_how_far_its_people_came(submit: Any, context: Any, clock: Any) -> None:
    submit("0 9 * * *")
    with context.engine.begin() as connection:
        came = {"counted_on": clock.at.date(), "vendor_id": 7, "outcome": "accepted", "reason": "x"}
        connection.execute(update(Recipient).values(came))
        firsts = set(connection.scalars(select(Mailing.id)))

    open_on(context, clock, 2)

    with context.engine.connect() as connection:
        columns = (Recipient.counted_on, Recipient.vendor_id, Recipient.outcome, Recipient.reason)
        copied = connection.execute(select(*columns).where(Recipient.mailing_id.not_in(firsts))).all()
    assert {tuple(one) for one in copied} == {(None, None, "waiting", None)}


def test_an_occurrence_is_not_taken_for_mailing_its_people_twice_and_another_list_is(
    submit: Any, context: Any, clock: Any, tmp_path: Path
) -> None:
    submit("0 9 * * *")

    open_on(context, clock, 3)

    assert len(occurrences(context)) >= 3
    with pytest.raises(RecentPiecesError, match="2 of these 2 people got template 1001 from campaign "):
        submit_campaign(context.engine, tmp_path / "people.csv", Options(template_id=1001), clock=clock)
