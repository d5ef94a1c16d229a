"""Matches what the vendor took for an order with what it had quoted.

A settled order is paid, whatever it cost: a variance never makes it look unsent, it asks a person about the money.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, text

from lettrlabs import Transaction
from worker.amounts import added, money, same

CHARGE_DIFFERS: Final = "charge_differs"


# One without the vendor's number cannot be recognised: all of these are replaced by what is shown now.
_WRITE_DOWN: Final = text("""
    WITH replaced AS (
        DELETE FROM charge
         WHERE mailing_id = ANY (:whose)
           AND vendor_id IS NULL
    )
    INSERT INTO charge (mailing_id, vendor_id, amount, is_credit, description, made_at)
    SELECT *
      FROM unnest(CAST(:mailing_ids AS bigint[]), CAST(:vendor_ids AS bigint[]), CAST(:amounts AS numeric[]),
                  CAST(:credits AS boolean[]), CAST(:descriptions AS text[]), CAST(:made_at AS timestamptz[]))
    ON CONFLICT (vendor_id) DO NOTHING
""")


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


@dataclass(frozen=True, slots=True)
class Books:
    """What the vendor shows for the order of one mailing."""

    mailing_id: int
    transactions: Sequence[Transaction]


def write_down(connection: Connection, books: Sequence[Books]) -> None:
    """Store orders' transactions; those that were stored before stay as they are."""
    shown = [(one.mailing_id, move) for one in books for move in one.transactions]
    connection.execute(
        _WRITE_DOWN,
        {
            "whose": [one.mailing_id for one in books],
            "mailing_ids": [mailing_id for mailing_id, _ in shown],
            "vendor_ids": [move.id for _, move in shown],
            "amounts": [abs(move.amount) if move.is_credit else move.amount for _, move in shown],
            "credits": [bool(move.is_credit) for _, move in shown],
            "descriptions": [move.description for _, move in shown],
            "made_at": [move.created_date for _, move in shown],
        },
    )
