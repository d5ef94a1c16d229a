"""What others are told of a mailing and its pieces: each thing once, when it happens, from quote to letter box."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from models import (
    Approval,
    Budget,
    BudgetScope,
    DeliveryTracking,
    Mailing,
    NotificationType,
    Stage,
    Webhook,
    WebhookDelivery,
)
from worker import transitions
from worker.engine.pipeline import RunBudget, process
from worker.periodic import delivery_tracking
from worker.transitions import Resolution
from worker.webhooks.signatures import fresh_secret

ANN = "Ann,Lee,,12 Oak Street,Boston,MA,02108,ann@example.com,\n"
BEN = "Ben,Kim,,9 Elm St,Reno,NV,89501,ben@example.com,\n"
REFUSED = "Cal,Roe,,0 Fir Ave,Austin,TX,78701,,\n"
PIECES = ("recipient.delivered", "recipient.undeliverable")


@pytest.fixture(autouse=True)
def webhook(post: Any) -> None:
    hook(post)


def hook(post: Any, *kinds: str) -> None:
    with post.engine.begin() as connection:
        values = {"url": "https://example.com/", "kinds": list(kinds), "secrets": [fresh_secret()]}
        connection.execute(insert(Webhook).values(values))


def told(post: Any) -> list[tuple[str, int | None]]:
    """Return what was told, and of whom, in the order in which it was written down."""
    with post.engine.connect() as connection:
        found = connection.execute(
            select(WebhookDelivery.kind, WebhookDelivery.position).order_by(WebhookDelivery.id)
        )
        return [(str(row.kind), row.position) for row in found]


def kinds(post: Any) -> list[str]:
    return [kind for kind, _ in told(post)]


def number_of(post: Any, campaign: int) -> int:
    (row,) = post.mailings(campaign)
    return int(row.id)


def test_a_mailing_that_a_person_agrees_to_is_told_of_at_every_step(post: Any) -> None:
    campaign = post.submit(ANN + BEN, approval=Approval.REQUIRED)
    post.job(campaign)
    assert kinds(post) == ["mailing.quoted"]

    post.approve(campaign)
    post.job(campaign)

    assert kinds(post) == ["mailing.quoted", "mailing.approved", "mailing.charged", "mailing.sent"]


def test_a_mailing_that_asks_nobody_is_not_told_to_be_approved(post: Any) -> None:
    post.job(post.submit(ANN))

    assert kinds(post) == ["mailing.quoted", "mailing.charged", "mailing.sent"]


def test_a_mailing_that_nobody_can_get_is_told_to_have_failed_with_who_was_refused(post: Any) -> None:
    post.job(post.submit(REFUSED))

    assert sorted(told(post)) == [("mailing.failed", None), ("recipient.rejected", 0)]


def test_a_refusal_is_told_once_however_often_the_draft_changes(post: Any) -> None:
    campaign = post.submit(ANN + REFUSED + BEN, approval=Approval.REQUIRED)
    post.job(campaign)
    post.suppress(email="ben@example.com")

    post.approve(campaign)
    post.job(campaign)
    post.approve(campaign)
    post.job(campaign)

    assert [one for one in told(post) if one[0] == "recipient.rejected"] == [("recipient.rejected", 1)]
    assert kinds(post)[-2:] == ["mailing.charged", "mailing.sent"]


@pytest.mark.parametrize(
    ("resolution", "then"),
    [
        (Resolution.SENT, ["mailing.sent"]),
        (Resolution.FAILED, ["mailing.failed"]),
        (Resolution.PAY_AGAIN, ["mailing.charged", "mailing.sent"]),
    ],
)
def test_a_failed_payment_asks_for_attention_and_then_tells_what_was_decided(
    post: Any, resolution: Resolution, then: list[str]
) -> None:
    post.sandbox.fail("checkout", "decline", count=1)
    campaign = post.submit(ANN)
    post.job(campaign)
    assert kinds(post) == ["mailing.quoted", "mailing.attention"]

    with post.engine.begin() as connection:
        transitions.resolve(
            connection, number_of(post, campaign), resolution, "ann", "seen there", post.clock()
        )
    post.job(campaign)

    assert kinds(post)[2:] == then


def test_a_mailing_that_the_money_does_not_suffice_for_asks_for_attention(post: Any) -> None:
    campaign = post.submit(ANN)
    with post.engine.begin() as connection:
        limit = {"total": Decimal("0.01"), "set_by": "test", "set_at": post.clock()}
        connection.execute(insert(Budget).values(purse=BudgetScope.CAMPAIGN, subject=campaign, **limit))

    post.job(campaign)

    assert kinds(post) == ["mailing.quoted", "mailing.attention"]


def test_money_that_was_taken_is_told_though_it_is_not_what_was_quoted(post: Any) -> None:
    campaign = post.submit(ANN, approval=Approval.REQUIRED)
    post.job(campaign)
    post.approve(campaign)
    while (row := post.mailings(campaign)[0]).stage is not Stage.SETTLE:
        process(post.context, [row.id], row.stage, RunBudget(seconds=60))
    with post.engine.begin() as connection:
        connection.execute(update(Mailing).values(quoted=Decimal("1.00")))

    post.job(campaign)

    assert kinds(post)[2:] == ["mailing.charged", "mailing.attention"]
    with post.engine.begin() as connection:
        transitions.resolve(connection, row.id, Resolution.SENT, "ann", "it is right", post.clock())
    assert kinds(post)[4:] == ["mailing.sent"]


def test_a_held_back_mailing_asks_for_attention(post: Any) -> None:
    campaign = post.submit(ANN)
    with post.engine.begin() as connection:
        transitions.flag_possibly_sent(
            connection, number_of(post, campaign), "arm", "may be sent", {}, post.clock()
        )

    assert kinds(post) == ["mailing.attention"]


def look(post: Any, days: int) -> list[int]:
    """Let days pass, with a look at the pieces on each, and return what each look brought."""
    brought = []
    for _ in range(days):
        post.forward(days=1)
        brought.append(delivery_tracking.run_once(post.context, post.clock()))
    return brought


def ends(post: Any, campaign: int) -> dict[str, list[int]]:
    """Return how the vendor says that the pieces ended, by their places."""
    (row,) = post.mailings(campaign)
    there = {piece.recipient_id: piece.status for piece in post.context.vendor.delivery_status(row.order_id)}
    by_status: dict[str, list[int]] = {}
    for one in post.people(campaign):
        by_status.setdefault(there[one.vendor_id], []).append(one.position)
    return by_status


def positions(notices: Iterable[tuple[str, int | None]], kind: str) -> list[int | None]:
    return sorted(position for told_kind, position in notices if told_kind == kind)


def test_each_piece_that_arrives_or_comes_back_is_told_of_once(post: Any) -> None:
    people = "".join(f"Ann{n},Lee,,{n + 1} Oak Street,Boston,MA,02108,,\n" for n in range(90))
    campaign = post.submit(people)
    post.job(campaign)

    brought = look(post, 40)

    found = ends(post, campaign)
    assert found.keys() == {"Delivered", "Undeliverable", "No Tracking Available"}
    assert positions(told(post), "recipient.delivered") == found["Delivered"]
    assert positions(told(post), "recipient.undeliverable") == found["Undeliverable"]
    assert brought[0] == 0, "nothing arrives on the first day"
    assert sum(brought) == len(found["Delivered"]) + len(found["Undeliverable"])


def test_a_large_order_is_told_of_to_its_last_piece(post: Any) -> None:
    people = "".join(f"Ann{n},Lee,,{n + 1} Oak Street,Boston,MA,02108,,\n" for n in range(250))
    campaign = post.submit(people)
    post.job(campaign)

    look(post, 40)

    found = ends(post, campaign)
    assert sum(map(len, found.values())) == 250
    assert positions(told(post), "recipient.delivered") == found["Delivered"]


def test_a_mailing_is_looked_at_until_all_its_pieces_have_ended(post: Any) -> None:
    post.job(post.submit(ANN + BEN))

    look(post, 40)

    assert Counter(kinds(post))["recipient.delivered"] == 2
    assert looks_to_come(post) == [None]


def test_a_piece_that_no_scanner_sees_is_given_up_after_sixty_days(post: Any) -> None:
    people = "".join(f"Ann{n},Lee,,{n + 1} Oak Street,Boston,MA,02108,,\n" for n in range(90))
    campaign = post.submit(people)
    post.job(campaign)
    look(post, 40)
    assert ends(post, campaign)["No Tracking Available"]
    assert looks_to_come(post) != [None]

    look(post, 25)

    assert looks_to_come(post) == [None]


def looks_to_come(post: Any) -> list[Any]:
    with post.engine.connect() as connection:
        return list(connection.scalars(select(DeliveryTracking.wake_at)))


def test_a_look_that_gets_no_answer_is_made_again_a_day_later(post: Any) -> None:
    post.job(post.submit(ANN))
    look(post, 30)
    arrived = Counter(kinds(post))
    with post.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM delivery; UPDATE tracking SET wake_at = '-infinity'")

    post.sandbox.fail("delivery_status", "error_before")
    assert look(post, 1) == [0]
    post.sandbox.heal()
    assert looks_to_come(post) == [post.clock() + timedelta(days=1)]

    assert look(post, 1) == [1]
    assert Counter(kinds(post)) - arrived == Counter({"recipient.delivered": 1})


def test_an_order_that_nothing_can_be_told_about_keeps_no_other_from_being_looked_at(post: Any) -> None:
    gone, there = post.submit(ANN), post.submit(BEN)
    post.job(gone)
    post.job(there)
    with post.engine.begin() as connection:
        connection.execute(update(Mailing).where(Mailing.campaign_id == gone).values(order_id=999_999))

    look(post, 40)

    assert Counter(kinds(post))["recipient.delivered"] == 1


def test_a_vendor_that_is_away_is_asked_a_few_times_and_left_alone_until_tomorrow(
    post: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(6):
        post.job(post.submit(f"Ann{n},Lee,,{n + 1} Oak Street,Boston,MA,02108,,\n"))

    post.sandbox.fail("delivery_status", "refuse")
    look(post, 1)
    post.sandbox.heal()

    assert caplog.text.count("vendor_trouble: tracking") == 3
    assert sum(look(post, 40)) == 6


def test_no_call_is_spent_on_pieces_that_nobody_wants_to_hear_of(post: Any) -> None:
    with post.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM webhook")
    hook(post, "mailing.sent")
    post.job(post.submit(ANN))

    assert looks_to_come(post) == []
    hook(post, NotificationType.RECIPIENT_DELIVERED)
    post.job(post.submit(BEN))
    assert len(looks_to_come(post)) == 1


def test_pieces_of_a_mailing_that_a_person_knows_to_be_sent_are_looked_for(post: Any) -> None:
    post.sandbox.fail("checkout", "decline", count=1)
    campaign = post.submit(ANN)
    post.job(campaign)

    with post.engine.begin() as connection:
        transitions.resolve(
            connection, number_of(post, campaign), Resolution.SENT, "ann", "seen there", post.clock()
        )

    with post.engine.connect() as connection:
        assert (
            connection.scalars(select(DeliveryTracking.mailing_id)).all()
            == connection.scalars(select(Mailing.id)).all()
        )
