"""What a piece of a template cost last, as the vendor quoted it."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, func, select

from models import Mailing, Quote


@dataclass(frozen=True, slots=True)
class PriceOfPiece:
    """The cost of a piece in a mailing's newest quote."""

    mailing_id: int
    cost: Decimal
    postage: str
    speed: str


def price_of_piece(connection: Connection, template_id: int) -> PriceOfPiece | None:
    """Return what a piece cost in the newest quote for a template, or None before there is one."""
    pieces = func.coalesce(func.nullif(Mailing.accepted, 0), Mailing.size)
    row = connection.execute(
        select(Quote.mailing_id, Quote.total, Quote.postage, Quote.speed, pieces.label("pieces"))
        .join(Mailing, Mailing.id == Quote.mailing_id)
        .where(Mailing.template_id == template_id, Quote.total > 0, pieces > 0)
        .order_by(Quote.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return PriceOfPiece(row.mailing_id, row.total / row.pieces, row.postage, row.speed)
