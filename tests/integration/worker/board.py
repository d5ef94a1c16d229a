"""A row for every state and stage that the tables allow, in a transaction of which nothing stays."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, select, text, update

from models import Approval, Campaign, Mailing, Priority, Stage, State, StateChange
from worker.transitions import ClaimedMailing
from worker.transitions.claims import CLAIMED_COLUMNS, mailing_from_row

NOW: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEASE: Final = timedelta(seconds=90)

Cell: TypeAlias = tuple[State, Stage]
_ONLY_AT: Final = {State.SENT: Stage.SETTLE, State.APPROVAL: Stage.CHECKOUT}
CELLS: Final = [(s, g) for s in State for g in Stage if _ONLY_AT.get(s, g) is g]


def columns_of(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)


class StateMatrix:
    """A row for every cell there can be, all of one campaign, in a transaction that is undone."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        connection.execute(text("DELETE FROM mailing; DELETE FROM campaign"))
        values = {"key": "campaign", "request_digest": b"d", "name": "Campaign"}
        counts = {"rows": 1, "people": 1, "rejected": 0, "mailings": len(CELLS)}
        self.campaign = connection.scalars(
            insert(Campaign).values(**values, **counts).returning(Campaign.id)
        ).one()
        rows = [self._forged(number, *cell) for number, cell in enumerate(CELLS)]
        ids = connection.scalars(
            insert(Mailing).returning(Mailing.id, sort_by_parameter_order=True), rows
        ).all()
        self.ids = dict(zip(CELLS, ids, strict=True))

    def _forged(self, number: int, state: State, stage: Stage) -> dict[str, Any]:
        working = state is State.WORKING
        awake = NOW + LEASE if working else NOW
        return {
            "campaign_id": self.campaign,
            "batch": number,
            "key": f"mailing-{number}",
            "request_digest": b"digest",
            "stage": stage,
            "state": state,
            "priority": int(Priority.CAMPAIGN),
            "not_before": NOW,
            "wake_at": awake if state in {State.QUEUED, State.WORKING} else None,
            "claim": uuid4() if working else None,
            "lease_until": NOW + LEASE if working else None,
            "resends": 1,
            "attempts": 3,
            "waits": 2,
            "reason_code": "code",
            "reason": "why",
            "template_id": 1001,
            "postage": "Standard",
            "speed": "Normal",
            "auto_bill": True,
            "approval": Approval.AUTO,
            "order_id": None if stage is Stage.CREATE else 7000 + number,
            "size": 5,
            "cursor": 0 if stage is Stage.CREATE else 5,
            "quoted": 12,
        }

    def row(self, cell: Cell) -> Row[Any]:
        columns = Mailing.__table__.columns
        return self.connection.execute(select(*columns).where(columns.id == self.ids[cell])).one()

    def rows(self) -> dict[Cell, dict[str, Any]]:
        columns = Mailing.__table__.columns
        found = self.connection.execute(select(*columns).where(columns.id.in_(list(self.ids.values()))))
        by_id = {row.id: columns_of(row) for row in found}
        return {cell: by_id[self.ids[cell]] for cell in CELLS}

    def claimed(self, cell: Cell) -> ClaimedMailing:
        row = self.connection.execute(select(*CLAIMED_COLUMNS).where(Mailing.id == self.ids[cell])).one()
        claimed = columns_of(row)
        return mailing_from_row(claimed | {"claim": claimed["claim"] or uuid4(), "lease_until": NOW + LEASE})

    def forge(self, cell: Cell, **values: Any) -> None:
        self.connection.execute(update(Mailing).where(Mailing.id == self.ids[cell]).values(**values))

    def events(self) -> dict[Cell, list[Row[Any]]]:
        columns = StateChange.__table__.columns
        found = self.connection.execute(select(*columns).order_by(columns.id)).all()
        return {cell: [row for row in found if row.mailing_id == self.ids[cell]] for cell in CELLS}
