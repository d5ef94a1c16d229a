"""Matches what the vendor took for an order with what it had quoted.

A settled order is paid, whatever it cost: a variance never makes it look unsent, it asks a person about the money.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.postgresql import insert

from lettrlabs import Transaction
from models import Charge
from worker.amounts import added, money, same

CHARGE_DIFFERS: Final = "charge_differs"


@dataclass(frozen=True, slots=True)
class Account:
    """The money of one order, in the vendor's currency; both amounts are positive."""

    charged: Decimal
    credited: Decimal
    transactions: int

    @classmethod
    def of(cls, transactions: Sequence[Transaction]) -> "Account":
        """Add up an order's transactions. A credit counts as one whatever the sign it comes with."""
        charged = added(one.amount for one in transactions if not one.is_credit)
        credited = added(abs(one.amount) for one in transactions if one.is_credit)
        return cls(charged, credited, len(transactions))

    @property
    def net(self) -> Decimal:
        """What was taken in all."""
        return self.charged - self.credited

    def variance(self, quoted: Decimal) -> str | None:
        """Return in words how this differs from the quote, None if it is the same to the cent."""
        if same(self.net, quoted):
            return None
        if not self.transactions:
            return f"paid, but LettrLabs shows no transaction for the {money(quoted)} that were quoted"
        took = f"LettrLabs took {money(self.net)} in {self.transactions} transactions"
        return f"paid, but {took} where {money(quoted)} were quoted"


def write_down(connection: Connection, mailing_id: int, transactions: Iterable[Transaction]) -> None:
    """Store an order's transactions; those that were stored before stay as they are."""
    # One without the vendor's number cannot be recognised: all of these are replaced by what is shown now.
    connection.execute(delete(Charge).where(Charge.mailing_id == mailing_id, Charge.vendor_id.is_(None)))
    rows = [
        {
            "mailing_id": mailing_id,
            "vendor_id": one.id,
            "amount": abs(one.amount) if one.is_credit else one.amount,
            "is_credit": bool(one.is_credit),
            "description": one.description,
            "made_at": one.created_date,
        }
        for one in transactions
    ]
    if rows:
        connection.execute(insert(Charge).on_conflict_do_nothing(index_elements=[Charge.vendor_id]), rows)
