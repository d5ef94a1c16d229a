"""A campaign that is held until its day: who is suppressed meanwhile is taken off it, by itself."""

from datetime import timedelta
from typing import Any

from models import HoldMode, Stage, State
from worker.engine.pipeline import RunBudget, process
from worker.scheduling.schedule import Schedule, held_here

ANN = "Ann,Lee,,12 Oak Street,Boston,MA,02108,ann@example.com,\n"
BEN = "Ben,Kim,,9 Elm St,Reno,NV,89501,ben@example.com,\n"


def claimed(post: Any, rows: str, days: int) -> int:
    """Submit a campaign that is held here for some days, and prepare it as far as it goes."""
    day = post.clock().date() + timedelta(days=days)
    schedule = Schedule(hold_until=day, hold_mode=HoldMode.LOCAL, send=held_here(day, "UTC"))
    campaign = int(post.submit(rows, schedule=schedule))
    (row,) = post.mailings(campaign)
    while row.state is State.QUEUED and row.not_before <= post.clock():
        process(post.context, [row.id], Stage(row.stage), RunBudget(seconds=60))
        (row,) = post.mailings(campaign)
    assert (row.state, row.stage) == (State.QUEUED, Stage.CHECKOUT)
    return campaign


def test_a_suppression_added_while_a_campaign_is_held_takes_effect(post: Any) -> None:
    campaign = claimed(post, ANN + BEN, days=10)
    (before,) = post.mailings(campaign)

    post.forward(days=5)
    post.suppress(email="ben@example.com")
    (after,) = post.job(campaign)

    assert post.outcomes(campaign) == ["accepted", "suppressed"]
    assert (after.state, after.charged == after.quoted < before.quoted) == (State.SENT, True)
    assert post.pieces() == {"ann": 1}


def test_a_held_campaign_that_everybody_left_is_not_paid(post: Any) -> None:
    campaign = claimed(post, BEN, days=10)

    post.suppress(email="ben@example.com")
    (after,) = post.job(campaign)

    assert (after.state, after.reason_code) == (State.CANCELLED, "nobody_to_mail")
    assert (post.totals()["liveDrafts"], post.totals()["charges"]) == (0, 0)
