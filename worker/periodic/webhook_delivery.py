"""Sending notices: signed, retried for days, given up loudly. A receiver that hangs keeps nobody else waiting.

One sender at a time has a webhook, by its ``busy_until``; it sends for a few seconds and comes back with the next
tick. A webhook that fails rests, longer each time, and is disabled once it has failed for days on end.
"""

import json
import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
from sqlalchemy import Connection, Engine, Row, func, select, text, update

from lettrlabs.deadline import call_deadline
from models import Mailing, Recipient, Webhook, WebhookDelivery
from worker.settings import Settings
from worker.webhooks.egress import Network, PublicOnlyBackend, networks
from worker.webhooks.signatures import sign

log = logging.getLogger(__name__)

# The pauses that Standard Webhooks suggests, drawn out to a week: a receiver may be broken over a long weekend.
_PAUSES: Final = (5, 30, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400, 86_400, 86_400)
_GIVE_UP_AFTER: Final = timedelta(days=5)
_LONGEST_REST: Final = 60
_CALL_SECONDS: Final = 10.0
_ROUND_SECONDS: Final = 15.0
# Outlasts a round and its last call, so that no second sender takes a webhook from a living one.
_BUSY: Final = timedelta(seconds=60)
_GONE: Final = 410
DELIVERY_BATCH_SIZE: Final = 20
_CONTENT_TYPE: Final = (b"content-type", b"application/json")
_TIMEOUTS: Final = {"connect": 5.0, "read": 10.0, "write": 10.0, "pool": 5.0}

# A round waits for strangers: most threads of a worker stay with the mail.
_senders = threading.BoundedSemaphore(2)

_TAKE = text("""
    UPDATE webhook
       SET busy_until = :until
     WHERE id = (SELECT w.id
                   FROM webhook AS w
                  WHERE w.disabled_at IS NULL
                    AND w.busy_until <= :now
                    AND EXISTS (SELECT FROM notice AS n WHERE n.webhook_id = w.id AND n.wake_at <= :now)
                  ORDER BY w.busy_until
                  LIMIT 1
                    FOR UPDATE SKIP LOCKED)
    RETURNING id, url, secrets
""")


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """What a receiver said: a status, or why there was none."""

    status: int | None
    why: str | None

    @property
    def taken(self) -> bool:
        """Whether the notice was taken: any 2xx (Standard Webhooks)."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP's class of successes


def run_once(engine: Engine, settings: Settings, now: datetime) -> int:
    """Send due notices of one webhook; returns how many were taken by its receiver."""
    if not _senders.acquire(blocking=False):
        return 0
    try:
        with engine.begin() as connection:
            hook = connection.execute(_TAKE, {"now": now, "until": now + _BUSY}).one_or_none()
        if hook is None:
            return 0
        return _DeliveryRun(engine, hook, networks(settings.webhook_networks), now).run()
    finally:
        _senders.release()


class _DeliveryRun:
    def __init__(self, engine: Engine, hook: Row[Any], allowed: tuple[Network, ...], now: datetime) -> None:
        self._engine = engine
        self._hook = hook
        self._allowed = allowed
        self._now = now

    def run(self) -> int:
        """Send until nothing is due, the time is up, or the receiver failed."""
        ends, taken, rest = monotonic() + _ROUND_SECONDS, 0, timedelta()
        with pool(self._hook.url, self._allowed) as connections:
            while monotonic() < ends and (notices := self._due()):
                for notice in notices:
                    answer = self._send(connections, notice)
                    rest = self._note(notice, answer)
                    if not answer.taken or monotonic() >= ends:
                        break
                    taken += 1
                if rest:
                    break
        with self._engine.begin() as connection:
            connection.execute(
                update(Webhook).where(Webhook.id == self._hook.id).values(busy_until=self._now + rest)
            )
        return taken

    def _due(self) -> list[Row[Any]]:
        with self._engine.connect() as connection:
            return list(
                connection.execute(
                    select(
                        *WebhookDelivery.__table__.columns,
                        Mailing.order_id,
                        Mailing.campaign_id,
                        Mailing.trigger_id,
                        Recipient.vendor_id,
                    )
                    .join(Mailing, Mailing.id == WebhookDelivery.mailing_id)
                    .outerjoin(
                        Recipient,
                        (Recipient.mailing_id == WebhookDelivery.mailing_id)
                        & (Recipient.position == WebhookDelivery.position),
                    )
                    .where(WebhookDelivery.webhook_id == self._hook.id, WebhookDelivery.wake_at <= self._now)
                    .order_by(WebhookDelivery.wake_at, WebhookDelivery.id)
                    .limit(DELIVERY_BATCH_SIZE)
                )
            )

    def _send(self, connections: httpcore.ConnectionPool, notice: Row[Any]) -> DeliveryAttempt:
        body = payload(notice)
        headers = sign(self._hook.secrets, f"msg_{notice.uid.hex}", datetime.now(UTC), body)
        return send(connections, self._hook.url, headers, body)

    def _note(self, notice: Row[Any], answer: DeliveryAttempt) -> timedelta:
        """Write down how it went, and return how long the webhook should rest."""
        with self._engine.begin() as connection:
            if answer.taken:
                values = {"taken_at": self._now, "wake_at": None, "status": answer.status, "why": None}
                _mark(connection, notice, values)
                healthy = {"failures": 0, "failing_since": None}
                connection.execute(
                    update(Webhook).where(Webhook.id == self._hook.id, Webhook.failures > 0).values(**healthy)
                )
                return timedelta()
            again = None
            if notice.attempts < len(_PAUSES):
                again = self._now + timedelta(seconds=_PAUSES[notice.attempts])
            _mark(connection, notice, {"wake_at": again, "status": answer.status, "why": answer.why})
            return _failed(connection, self._hook.id, answer, self._now)


def _mark(connection: Connection, notice: Row[Any], values: dict[str, Any]) -> None:
    connection.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.id == notice.id, WebhookDelivery.attempts == notice.attempts)
        .values(attempts=WebhookDelivery.attempts + 1, **values)
    )


def _failed(connection: Connection, webhook_id: int, answer: DeliveryAttempt, now: datetime) -> timedelta:
    row = connection.execute(
        update(Webhook)
        .where(Webhook.id == webhook_id)
        .values(failures=Webhook.failures + 1, failing_since=func.coalesce(Webhook.failing_since, now))
        .returning(Webhook.failures, Webhook.failing_since)
    ).one()
    since = row.failing_since or now
    if answer.status == _GONE or now - since >= _GIVE_UP_AFTER:
        why = (
            "its receiver says it is gone"
            if answer.status == _GONE
            else f"failing since {since:%Y-%m-%d %H:%M} UTC"
        )
        connection.execute(
            update(Webhook).where(Webhook.id == webhook_id).values(disabled_at=now, disabled_why=why)
        )
        log.warning("webhook_disabled: webhook %s: %s; see `mailrun webhook list`", webhook_id, why)
    return timedelta(seconds=min(2.0 ** min(row.failures, 16), _LONGEST_REST))


def payload(notice: Row[Any]) -> str:
    """Return a notice's body: what happened, when, and the numbers by which to ask for more. Nobody's name."""
    data = {
        "mailing": notice.mailing_id,
        "campaign": notice.campaign_id,
        "trigger": notice.trigger_id,
        "order": notice.order_id,
        "position": notice.position,
        "recipient": notice.vendor_id,
    }
    told = {
        "type": str(notice.kind),
        "timestamp": notice.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {name: value for name, value in data.items() if value is not None},
    }
    return json.dumps(told, separators=(",", ":"))


def pool(url: str, allowed: tuple[Network, ...]) -> httpcore.ConnectionPool:
    """Return connections to a receiver, which lead nowhere that they must not; a proxy is not used."""
    plain = urlsplit(url).scheme != "https"
    return httpcore.ConnectionPool(
        network_backend=PublicOnlyBackend(allowed, plain=plain), max_connections=1, http2=False
    )


def send(
    connections: httpcore.ConnectionPool, url: str, headers: dict[str, str], body: str
) -> DeliveryAttempt:
    """Post a body and return the answer's status; a redirect is not followed, and what it says is not read."""
    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    try:
        with (
            call_deadline(monotonic() + _CALL_SECONDS, body_follows=True),
            connections.stream(
                "POST",
                url,
                headers=[*given, _CONTENT_TYPE, (b"user-agent", b"mailrun")],
                content=body.encode(),
                extensions={"timeout": _TIMEOUTS},
            ) as response,
        ):
            status = response.status
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        return DeliveryAttempt(None, str(error) or type(error).__name__)
    return DeliveryAttempt(status, None if 200 <= status < 300 else f"answered {status}")  # noqa: PLR2004 - as above
