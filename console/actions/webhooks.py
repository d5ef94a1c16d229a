"""Webhooks in a person's hands."""

from datetime import timedelta
from urllib.parse import urlsplit

import httpcore
from sqlalchemy import Connection, delete, func, insert, select, update

from console.errors import CommandError, UsageError
from console.option_values import chosen
from console.output import print_note, print_result, show_json
from console.session import Session, open_session
from console.views.formatting import table, text, when
from models import NotificationType, Webhook, WebhookDelivery
from worker.clock import system_clock
from worker.webhooks.egress import REFUSAL, is_allowed, networks, resolved
from worker.webhooks.signatures import fresh_secret

_LONGEST_URL = 2000


def add_webhook(url: str, kinds: list[str]) -> None:
    """Add a webhook and print its secret. Raises Complaint for an address that no notice may go to."""
    wanted = chosen("kind", kinds, NotificationType)
    if len(wanted) == len(NotificationType):
        wanted = []  # every kind, those of later versions too
    with open_session() as session:
        _require_reachable(session, url)
        secret = fresh_secret()
        with session.engine.begin() as connection:
            number = connection.execute(
                insert(Webhook).values(url=url, kinds=wanted, secrets=[secret]).returning(Webhook.id)
            ).scalar_one()
    print_note(f"Webhook {number} is told {', '.join(wanted) or 'everything'}. Its notices are signed with:")
    print_result(secret)


def _require_reachable(session: Session, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.fragment:
        raise UsageError("a webhook's address is such as https://example.com/mailrun")
    if len(url) > _LONGEST_URL or not (url.isascii() and url.isprintable()) or " " in url:
        raise UsageError("a webhook's address is at most 2000 plain characters")
    try:
        addresses = resolved(host, port)
    except httpcore.ConnectError as error:
        raise CommandError(f"{host}: {error}") from None
    allowed = networks(session.settings.webhook_networks)
    if not all(is_allowed(one, allowed, plain=parts.scheme == "http") for one in addresses):
        raise CommandError(f"{host}: {REFUSAL}")


def list_webhooks(*, as_json: bool) -> None:
    """Print the webhooks."""
    columns = (
        Webhook.id,
        Webhook.url,
        Webhook.kinds,
        Webhook.failing_since,
        Webhook.disabled_at,
        Webhook.disabled_why,
        select(func.count())
        .where(WebhookDelivery.webhook_id == Webhook.id, WebhookDelivery.wake_at.is_not(None))
        .scalar_subquery()
        .label("waiting"),
    )
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        found = [dict(row) for row in connection.execute(select(*columns).order_by(Webhook.id)).mappings()]
        if as_json:
            show_json(session.vendor, webhooks=found)
            return
    rows = table(
        "id", "address", "kinds", "waiting", "state", right=("id", "waiting"), fold=("address", "state")
    )
    for one in found:
        state = "well"
        if one["disabled_at"] is not None:
            state = f"disabled: {one['disabled_why']}"
        elif one["failing_since"] is not None:
            state = f"failing since {when(one['failing_since'])}"
        kinds = ", ".join(one["kinds"]) or "all"
        rows.add_row(str(one["id"]), text(one["url"]), text(kinds), str(one["waiting"]), text(state))
    print_result(rows if found else "No webhooks: add one with mailrun webhook add.")


def show_webhook(webhook_id: int, limit: int, *, as_json: bool) -> None:
    """Print a webhook's newest notices."""
    names = ("id", "kind", "mailing_id", "position", "at", "attempts", "taken_at", "wake_at", "status", "why")
    columns = [getattr(WebhookDelivery, name) for name in names]
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        _require(connection, webhook_id)
        query = select(*columns).where(WebhookDelivery.webhook_id == webhook_id)
        found = [
            dict(row)
            for row in connection.execute(query.order_by(WebhookDelivery.id.desc()).limit(limit)).mappings()
        ]
        if as_json:
            show_json(session.vendor, notices=found)
            return
    rows = table("notice", "kind", "mailing", "at", "tries", "taken", "again", "why", fold=("why",))
    for one in found:
        numbers = (
            str(one["id"]),
            str(one["kind"]),
            str(one["mailing_id"]),
            when(one["at"]),
            str(one["attempts"]),
        )
        rows.add_row(*numbers, when(one["taken_at"]), when(one["wake_at"]), text(one["why"] or ""))
    print_result(rows if found else "No notices yet.")


def _require(connection: Connection, webhook_id: int) -> None:
    if connection.scalar(select(Webhook.id).where(Webhook.id == webhook_id)) is None:
        raise CommandError(f"there is no webhook {webhook_id}")


def enable_webhook(webhook_id: int) -> None:
    """Enable a webhook; what waited for it is sent."""
    healthy = {"disabled_at": None, "disabled_why": None, "failures": 0, "failing_since": None}
    with open_session() as session, session.engine.begin() as connection:
        _require(connection, webhook_id)
        connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(**healthy))
    print_note(f"Webhook {webhook_id} is enabled.")


def remove_webhook(webhook_id: int) -> None:
    """Remove a webhook with its notices."""
    with open_session() as session, session.engine.begin() as connection:
        _require(connection, webhook_id)
        connection.execute(delete(Webhook).where(Webhook.id == webhook_id))
    print_note(f"Webhook {webhook_id} is removed.")


def rotate_secret(webhook_id: int) -> None:
    """Give a webhook a new secret beside its newest one, and print it."""
    secret = fresh_secret()
    with open_session() as session, session.engine.begin() as connection:
        _require(connection, webhook_id)
        row = connection.execute(
            select(Webhook.secrets).where(Webhook.id == webhook_id).with_for_update()
        ).scalar_one()
        connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(secrets=[secret, *row[:1]]))
    print_note("Notices are signed with the secret before too, until the next rotation. The new one:")
    print_result(secret)


def replay_notices(webhook_id: int, hours: int, *, everything: bool) -> None:
    """Have notices sent again: those that were given up, or all of them."""
    now = system_clock()
    again = update(WebhookDelivery).where(
        WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.at >= now - timedelta(hours=hours)
    )
    if not everything:
        again = again.where(WebhookDelivery.taken_at.is_(None))
    values = {"wake_at": now, "taken_at": None, "attempts": 0}
    with open_session() as session, session.engine.begin() as connection:
        _require(connection, webhook_id)
        number = connection.execute(again.values(**values)).rowcount
    print_note(f"Notices to be sent again: {number}.")
