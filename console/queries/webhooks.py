"""Webhooks as they stand: which get nothing any more."""

from sqlalchemy import Connection, select

from models import Webhook


def disabled(connection: Connection) -> list[tuple[int, str]]:
    """Return the webhooks that were disabled, each with the reason."""
    rows = connection.execute(
        select(Webhook.id, Webhook.disabled_why).where(Webhook.disabled_at.is_not(None)).order_by(Webhook.id)
    )
    return [(row.id, row.disabled_why or "") for row in rows]
