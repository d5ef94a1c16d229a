"""Matches what the vendor took for an order with what it had quoted, by amount and by pieces.

A settled order is paid, whatever it cost: a difference never makes it look unsent, it asks a person about the money.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, select, text

from lettrlabs import OrderTransactions, Transaction
from models import Difference, Quote
from worker.billing.amounts import added, money, same, to_cent
from worker.billing.costs import ZERO, is_discount, is_refund
from worker.billing.quote_arithmetic import Doubt
from worker.results import Details

CHARGE_DIFFERS: Final = "charge_differs"


# What has no number, or shares one within its order, cannot be recognized: all of the order's are replaced then.
_WRITE_DOWN: Final = text("""
    WITH replaced AS (
        DELETE FROM charge
         WHERE mailing_id = ANY (:whose)
           AND (vendor_id IS NULL OR mailing_id = ANY (:renumbered))
    )
    INSERT INTO charge (mailing_id, vendor_id, amount, is_credit, pays, description, made_at)
    SELECT *
      FROM unnest(CAST(:mailing_ids AS bigint[]), CAST(:vendor_ids AS bigint[]), CAST(:amounts AS numeric[]),
                  CAST(:credits AS boolean[]), CAST(:pays AS boolean[]), CAST(:descriptions AS text[]),
                  CAST(:made_at AS timestamptz[]))
    ON CONFLICT (mailing_id, vendor_id)
    DO UPDATE SET amount = excluded.amount, is_credit = excluded.is_credit, pays = excluded.pays,
                  description = excluded.description, made_at = excluded.made_at
     WHERE (charge.amount, charge.is_credit, charge.pays)
           IS DISTINCT FROM (excluded.amount, excluded.is_credit, excluded.pays)
""")


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction. ``size`` is its amount without a sign; ``pays`` marks a credit that pays for the order."""

    transaction: Transaction
    is_credit: bool
    pays: bool = False

    @property
    def size(self) -> Decimal | None:
        """The amount; None if the vendor states none."""
        amount = self.transaction.amount
        return None if amount is None else abs(amount)


@dataclass(frozen=True, slots=True)
class SettledOrder:
    """What the vendor shows for the order of one mailing. ``pieces`` is None if it does not say how many."""

    mailing_id: int
    entries: Sequence[Entry] = ()
    pieces: int | None = None


@dataclass(frozen=True, slots=True)
class OrderCharges:
    """The money of one order, in the vendor's currency; all amounts are positive.

    ``credited`` made the order cheaper, ``paid_by_credits`` is how the account's credits paid for it.
    """

    charged: Decimal
    credited: Decimal
    paid_by_credits: Decimal
    transactions: int
    unknown: int
    pieces: int | None = None

    @classmethod
    def of(cls, books: SettledOrder) -> "OrderCharges":
        """Add up an order's transactions."""
        stated = [(one, one.size) for one in books.entries if one.size is not None]
        return cls(
            charged=added(size for one, size in stated if not one.is_credit),
            credited=added(size for one, size in stated if one.is_credit and not one.pays),
            paid_by_credits=added(size for one, size in stated if one.pays),
            transactions=len(books.entries),
            unknown=len(books.entries) - len(stated),
            pieces=books.pieces,
        )

    @property
    def cost(self) -> Decimal:
        """What the order cost, to the cent."""
        return to_cent(self.charged - self.credited)

    @property
    def from_credits(self) -> Decimal:
        """How much of that the account's credits paid."""
        return min(to_cent(self.paid_by_credits), max(self.cost, ZERO))

    def differences(self, quoted: Decimal, people: int) -> list[Doubt]:
        """Return how this differs from the quote, to the cent, and from the people on the order."""
        return [
            one for one in (self._unknown(), self._amount(quoted), self._pieces(people)) if one is not None
        ]

    def _unknown(self) -> Doubt | None:
        if not self.unknown:
            return None
        words = f"LettrLabs states no amount for {self.unknown} of {self.transactions} transactions"
        return Doubt(Difference.UNKNOWN_CHARGE, words)

    def _amount(self, quoted: Decimal) -> Doubt | None:
        if not self.transactions:
            words = f"LettrLabs shows no transaction for the {money(quoted)} that were quoted"
            return Doubt(Difference.NO_TRANSACTIONS, words)
        if same(self.cost, quoted):
            return None
        kind = Difference.CHARGED_MORE if self.cost > quoted else Difference.CHARGED_LESS
        took = f"LettrLabs took {money(self.cost)} in {self.transactions} transactions"
        return Doubt(kind, f"{took} where {money(quoted)} were quoted")

    def _pieces(self, people: int) -> Doubt | None:
        if self.pieces is None or self.pieces == people or not self.transactions:
            return None
        words = f"LettrLabs charged {self.pieces:,} pieces for {people:,} people on the order"
        return Doubt(Difference.CHARGED_PIECES, words)


def books_of(
    mailing_id: int, order_id: int, told: Iterable[OrderTransactions], discounts: Decimal = ZERO
) -> SettledOrder:
    """Return the books of one order from a report that may hold other orders, and this one in several parts.

    A credit that does not say what it is pays for the order, unless it is what the quote had as ``discounts``.
    """
    parts = [one for one in told if one.order_id == order_id]
    moves = [move for one in parts for move in one.transactions if move.order_id in {None, order_id}]
    volumes = [one.volume for one in parts if one.volume is not None]
    entries = [Entry(move, _is_credit(move)) for move in moves]
    paying = _paying(entries, discounts)
    entries = [replace(one, pays=number in paying) for number, one in enumerate(entries)]
    return SettledOrder(mailing_id, entries, max(volumes, default=None))


def _paying(entries: Sequence[Entry], discounts: Decimal) -> set[int]:
    """Return the positions of the credits that pay."""
    credits_ = [(number, one) for number, one in enumerate(entries) if one.is_credit]
    unclear = {n: one.size or ZERO for n, one in credits_ if not _lowers_cost(one.transaction)}
    left = discounts - added(one.size or ZERO for _, one in credits_ if _is_discount(one.transaction))
    if unclear and same(added(unclear.values()), left):
        return set()
    quoted = next((n for n, size in unclear.items() if same(size, left)), None)
    return set(unclear) - {quoted}


def has_unclear_credit(told: Iterable[OrderTransactions]) -> bool:
    """Return whether a credit does not say whether it lowers the cost or pays for it."""
    moves = [move for one in told for move in one.transactions]
    return any(_is_credit(move) and not _lowers_cost(move) for move in moves)


def quoted_discounts(connection: Connection, mailing_id: int) -> Decimal:
    """Return what the mailing's last quote took off its charges and tax."""
    row = connection.execute(
        select(Quote.charges, Quote.tax, Quote.total)
        .where(Quote.mailing_id == mailing_id)
        .order_by(Quote.id.desc())
        .limit(1)
    ).one_or_none()
    return ZERO if row is None else max((row.charges or ZERO) + (row.tax or ZERO) - row.total, ZERO)


def _is_credit(move: Transaction) -> bool:
    """Return whether this is a credit: by its flag, its minus sign, or, without a flag, its type."""
    if move.is_credit is None and is_refund(move.transaction_type, move.transaction_sub_type):
        return True
    return bool(move.is_credit) or (move.amount is not None and move.amount < 0)


def _lowers_cost(move: Transaction) -> bool:
    return _is_discount(move) or _is_refund(move)


def _is_discount(move: Transaction) -> bool:
    return is_discount(move.description, move.transaction_type, move.transaction_sub_type)


def _is_refund(move: Transaction) -> bool:
    return is_refund(move.description, move.transaction_type, move.transaction_sub_type)


def values(account: OrderCharges) -> Details:
    """Return what the mailing's row keeps. Without a transaction it is not known what was taken."""
    if not account.transactions:
        return {"charged": None, "charged_from_credits": None}
    return {"charged": account.cost, "charged_from_credits": account.from_credits}


def passed(doubts: Sequence[Doubt], decisions: Mapping[Difference, int]) -> Details:
    """Return the reason that a mailing keeps if differences in its charges passed by earlier decisions."""
    words = [f"{doubt.words} (accepted by decision {decisions[doubt.kind]})" for doubt in doubts]
    return {"reason": "; ".join(words)} if words else {}


def facts(account: OrderCharges, doubts: Sequence[Doubt]) -> Details:
    """Return what an approver is shown, and what an acceptance is bound to."""
    return {
        "charged": str(account.charged),
        "credited": str(account.credited),
        "paidByCredits": str(account.paid_by_credits),
        "transactions": account.transactions,
        "pieces": account.pieces,
        "differences": [doubt.kind.value for doubt in doubts],
        "digest": digest_of(account).hex(),
    }


def digest_of(account: OrderCharges) -> bytes:
    """Return 32 bytes that differ when an amount or the number of pieces differs."""
    return sha256(repr(astuple(account)).encode()).digest()


def save_transactions(connection: Connection, books: Sequence[SettledOrder]) -> None:
    """Store orders' transactions. One that is stored already is not stored twice; if it changed, it is changed."""
    shown = [(one.mailing_id, entry) for one in books for entry in one.entries]
    renumbered = [one.mailing_id for one in books if _shares_a_number(one)]
    connection.execute(
        _WRITE_DOWN,
        {
            "whose": [one.mailing_id for one in books],
            "renumbered": renumbered,
            "mailing_ids": [mailing_id for mailing_id, _ in shown],
            "vendor_ids": [None if one in renumbered else entry.transaction.id for one, entry in shown],
            "amounts": [entry.size for _, entry in shown],
            "credits": [entry.is_credit for _, entry in shown],
            "pays": [entry.pays for _, entry in shown],
            "descriptions": [entry.transaction.description for _, entry in shown],
            "made_at": [entry.transaction.created_date for _, entry in shown],
        },
    )


def _shares_a_number(books: SettledOrder) -> bool:
    numbers = [one.transaction.id for one in books.entries if one.transaction.id is not None]
    return len(numbers) != len(set(numbers))
