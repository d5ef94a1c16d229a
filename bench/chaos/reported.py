"""What each contender says it did: Mailrun from its database, the peers from what they reported."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row, select

from bench.chaos.contenders import Mailrun
from bench.chaos.verdict import Books, Claims
from bench.peers.reports import reports
from models import ENDED, Mailing, Outcome, Recipient, State
from worker.context import open_engine

# Reasons to ask a person that say no more than that it was not paid.
_UNPAID = frozenset({"recipients_differ", "recipients_changed", "refused"})


def of_peer(path: Path) -> Claims:
    """Return what a peer reported."""
    told: dict[str, str] = {}
    refused: set[str] = set()
    for key, why, people in reports(path):
        if people:
            refused |= set(people)
        else:
            told[key] = why
    return Claims(told=told, refused_people=frozenset(refused))


@dataclass(frozen=True)
class Accounts:
    """Mailrun's own account of a run."""

    mailings: tuple[Row[Any], ...]
    # The keys of mailings with somebody refused, and the positions of those people.
    refused: Mapping[str, frozenset[int]]

    @classmethod
    def read(cls, engine: Engine) -> "Accounts":
        """Read it from the database."""
        refused: dict[str, set[int]] = defaultdict(set)
        with engine.connect() as connection:
            mailings = connection.execute(select(*Mailing.__table__.columns)).all()
            people = connection.execute(
                select(Mailing.key, Recipient.position)
                .join(Recipient, Recipient.mailing_id == Mailing.id)
                .where(Recipient.outcome == Outcome.REJECTED)
            )
            for key, position in people:
                refused[key].add(position)
        return cls(tuple(mailings), {key: frozenset(positions) for key, positions in refused.items()})

    def claims(self, books: Books) -> Claims:
        """Return what it says, as the judge asks it of everybody."""
        told = {State.ATTENTION, State.FAILED}
        return Claims(
            told={row.key: f"{row.state} {row.reason_code}" for row in self.mailings if row.state in told},
            open_drafts=frozenset(
                row.order_id for row in self.mailings if row.order_id and row.state not in ENDED
            ),
            refused_people=frozenset(
                books.letters[key].people[position].key
                for key, positions in self.refused.items()
                for position in positions
            ),
        )

    def untruths(self, books: Books) -> Iterator[str]:
        """Yield each mailing of whose end it says what the ledger denies."""
        times = books.times_paid()
        orders = {order["id"]: order for order in books.ledger["orders"]}
        told = (row for row in self.mailings if row.state in ENDED or row.state is State.ATTENTION)
        for row in told:
            if not _is_true(row, orders.get(row.order_id), times[row.key]):
                claimed = f"{row.state} {row.reason_code or ''}: {row.reason}"
                yield f"{row.key} (mailing {row.id}, order {row.order_id}) is {claimed}"


def _is_true(row: Row[Any], order: Any, times_paid: int) -> bool:  # noqa: ANN401 - JSON
    """Whether the ledger bears out what a mailing's row says. "We do not know" is true of either."""
    match row.state, row.reason_code:
        case State.SENT, _:
            return times_paid == 1 and bool(order["charges"])
        case State.ATTENTION, "charge_differs":
            return times_paid == 1 and row.quoted != sum(Decimal(one["amount"]) for one in order["charges"])
        case State.ATTENTION, "checkout_unclear" | "attempts":
            return times_paid <= 1
        case _:
            return times_paid == 0 and _explains_no_payment(row, order)


def _explains_no_payment(row: Row[Any], order: Any) -> bool:  # noqa: ANN401 - JSON
    match row.state, row.reason_code:
        case (State.FAILED, "nobody_accepted") | (State.ATTENTION, "order_gone"):
            return order is None or bool(order["deleted"])
        case State.ATTENTION, "payment_failed":
            return any(checkout["outcome"] == "declined" for checkout in order["checkouts"])
        case state, code:
            return state is State.FAILED or code in _UNPAID


def engine_of(mailrun: Mailrun) -> Engine:
    """Return an engine on its database."""
    return open_engine(mailrun.database_url, connections=2)
