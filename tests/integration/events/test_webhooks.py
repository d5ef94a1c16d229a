"""Webhooks: told of what happened, signed, again and again for days."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models import Mailing, NotificationType, Webhook, WebhookDelivery
from tests.integration.events.conftest import NOW
from worker.webhooks import outbox
from worker.webhooks.signatures import fresh_secret, verify


def test_a_notice_is_signed_and_names_numbers_and_nobody(office: Any, receiver: Any, mailing: int) -> None:
    secret = office.hook(receiver.url)
    with office.engine.begin() as connection:
        connection.execute(update(Mailing).values(order_id=77))
    office.tell(mailing)

    assert office.tick() == 1

    ((headers, body),) = receiver.got
    verify([secret], headers, body)
    assert json.loads(body) == {
        "type": "mailing.sent",
        "timestamp": "2026-11-22T09:00:00Z",
        "data": {"mailing": mailing, "trigger": 1, "order": 77},
    }
    assert office.notices()[0].taken_at == NOW


def test_a_webhook_is_told_only_what_it_wants(office: Any, receiver: Any, mailing: int) -> None:
    office.hook(receiver.url, "mailing.failed")

    office.tell(mailing)
    office.tell(mailing, NotificationType.MAILING_FAILED)

    assert [notice.kind for notice in office.notices()] == ["mailing.failed"]


def test_a_refused_notice_is_sent_again_later_under_the_same_id(
    office: Any, receiver: Any, mailing: int
) -> None:
    office.hook(receiver.url)
    office.tell(mailing)
    receiver.answers = [500, 302, 200]

    taken = [office.tick(), office.tick(timedelta(seconds=3)), office.tick(timedelta(seconds=3))]
    taken.append(office.tick(timedelta(seconds=31)))

    assert taken == [0, 0, 0, 1]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert [notice.attempts for notice in office.notices()] == [3]
    assert office.webhook().failing_since is None


def test_a_notice_is_given_up_after_a_week_and_a_webhook_disabled_after_days(
    office: Any, receiver: Any, mailing: int, caplog: pytest.LogCaptureFixture
) -> None:
    office.hook(receiver.url)
    office.tell(mailing)
    receiver.answers = [500] * 100

    with caplog.at_level(logging.WARNING):
        for _ in range(40):
            office.tick(timedelta(hours=6))

    assert office.webhook().disabled_why.startswith("failing since 2026-11-22")
    assert "webhook_disabled: webhook 1" in caplog.text
    tried = len(receiver.got)
    office.tick(timedelta(days=1))
    assert len(receiver.got) == tried


def test_what_a_disabled_webhook_missed_is_sent_once_it_is_enabled(
    office: Any, receiver: Any, mailing: int
) -> None:
    office.hook(receiver.url, disabled_at=NOW, disabled_why="gone")
    office.tell(mailing)
    assert office.tick() == 0

    with office.engine.begin() as connection:
        connection.execute(update(Webhook).values(disabled_at=None, disabled_why=None))

    assert office.tick() == 1


def test_a_notice_is_signed_with_every_secret_while_one_takes_over_from_the_other(
    office: Any, receiver: Any, mailing: int
) -> None:
    old, new = office.hook(receiver.url), fresh_secret()
    with office.engine.begin() as connection:
        connection.execute(update(Webhook).values(secrets=[new, old]))
    office.tell(mailing)

    office.tick()

    ((headers, body),) = receiver.got
    verify([old], headers, body)
    verify([new], headers, body)


def test_a_notice_that_nobody_takes_for_a_week_is_given_up_though_the_webhook_lives(
    office: Any, receiver: Any, mailing: int
) -> None:
    office.hook(receiver.url)
    office.tell(mailing)
    tries = 0
    while (at := office.notices()[0].wake_at) is not None:
        # Another notice is taken in between, so that the webhook is not one that fails for days on end.
        office.at = at
        receiver.answers = [500]
        office.tick()
        office.rest()
        tries += 1

    assert tries == 14
    assert timedelta(days=6) < office.at - NOW < timedelta(days=8)
    assert office.webhook().disabled_at is None
    assert (office.notices()[0].taken_at, office.notices()[0].why) == (None, "answered 500")


def test_a_receiver_that_is_gone_is_not_asked_again(office: Any, receiver: Any, mailing: int) -> None:
    office.hook(receiver.url)
    office.tell(mailing)
    receiver.answers = [410]

    office.tick()

    assert office.webhook().disabled_why == "its receiver says it is gone"


def test_a_receiver_that_nobody_can_reach_keeps_the_next_one_not_waiting(
    office: Any, receiver: Any, mailing: int
) -> None:
    office.hook("http://127.0.0.1:9/hook")
    office.hook(receiver.url)
    office.tell(mailing)

    taken = [office.tick(), office.tick()]

    assert sum(taken) == 1
    assert len(receiver.got) == 1


def test_a_move_that_is_undone_tells_nobody(office: Any, receiver: Any, mailing: int) -> None:
    office.hook(receiver.url)

    with office.engine.connect() as connection:
        outbox.enqueue(connection, NotificationType.MAILING_SENT, mailing, NOW)
        connection.rollback()

    with office.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(WebhookDelivery)) == 0


def test_a_webhook_that_one_sender_has_is_left_alone_by_another(
    office: Any, receiver: Any, mailing: int
) -> None:
    office.hook(receiver.url)
    office.tell(mailing)
    with office.engine.begin() as connection:
        connection.execute(update(Webhook).values(busy_until=NOW + timedelta(seconds=1)))

    assert office.tick() == 0
    assert receiver.got == []
    assert office.webhook().busy_until == NOW + timedelta(seconds=1)
    assert office.tick(timedelta(seconds=1)) == 1
