"""The people of one mailing: how many came to what, and, where asked for, who."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from models import Outcome, Recipient


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many people of a mailing had one outcome for one reason."""

    outcome: Outcome
    reason: str | None
    people: int


@dataclass(frozen=True, slots=True, repr=False)
class RecipientFacts:
    """One person of a mailing. Personal data: shown only to who asks for it."""

    position: int
    row: int | None
    first_name: str | None
    last_name: str | None
    organization: str | None
    address1: str
    address2: str | None
    city: str
    state: str
    zip_code: str
    outcome: Outcome
    reason: str | None
    vendor_id: int | None


def outcomes(connection: Connection, mailing_id: int) -> list[OutcomeCount]:
    """Return the outcomes of one mailing's people, the most frequent first."""
    how_many = func.count().label("people")
    rows = connection.execute(
        select(Recipient.outcome, Recipient.reason, how_many)
        .where(Recipient.mailing_id == mailing_id)
        .group_by(Recipient.outcome, Recipient.reason)
        .order_by(how_many.desc(), Recipient.reason)
    )
    return [OutcomeCount(*row) for row in rows]


def people(connection: Connection, mailing_id: int) -> list[RecipientFacts]:
    """Return everybody on one mailing, in their sequence."""
    columns = tuple(getattr(Recipient, name) for name in RecipientFacts.__slots__)
    rows = connection.execute(
        select(*columns).where(Recipient.mailing_id == mailing_id).order_by(Recipient.position)
    )
    return [RecipientFacts(*row) for row in rows]
