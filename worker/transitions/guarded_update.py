"""The statement behind every move of a claim's holder: the fenced UPDATE, and what it leaves behind.

One statement, so that one round trip to the database makes the move of one mailing or of several, writes the event
log and the journal, and tells the webhooks; of a mailing whose claim was lost it does none of it.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, TextualSelect, create_mock_engine, text

from lettrlabs import CallRecord
from models import Mailing, NotificationType, Stage, State, Transition
from worker import database
from worker.audit import journal
from worker.results import Details
from worker.transitions.claims import COLUMNS, RETURNING, ClaimedMailing, mailing_from_row
from worker.webhooks import outbox


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """What is left behind beside the row: the calls made under the claim, and, of a move, its line in the log."""

    calls: Sequence[CallRecord] = ()
    move: Transition | None = None
    state: State | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    notices: Sequence[NotificationType] = ()


@dataclass(frozen=True, slots=True)
class GuardedChange:
    """What a held mailing is to become, and the trace of it."""

    mailing: ClaimedMailing
    values: Details
    trace: AuditTrail


@dataclass(frozen=True, slots=True)
class _StatementShape:
    """What the changes of one statement have in common."""

    stage: Stage
    columns: tuple[str, ...]
    move: Transition | None
    state: State | None
    notices: tuple[NotificationType, ...]
    journal: bool

    @classmethod
    def of(cls, change: GuardedChange) -> "_StatementShape":
        trace, columns = change.trace, tuple(change.values)
        return cls(
            change.mailing.stage, columns, trace.move, trace.state, tuple(trace.notices), bool(trace.calls)
        )


# The guard is stage, state and claim; nothing else may stand between a late holder and somebody else's mailing.
_MOVE = f"""
    WITH given AS (
        SELECT *
          FROM unnest({{arrays}})
            AS given ({{names}})
    ), moved AS (
        UPDATE mailing
           SET {{values}}
          FROM given
         WHERE mailing.id = given.held_id
           AND stage = :held_stage
           AND state = 'working'
           AND claim = given.held_claim
        RETURNING {RETURNING}
    ){{traces}}
    SELECT * FROM moved
"""  # noqa: S608 - built from constants of this package
_LOGGED = f"""
        INSERT INTO event_log (mailing_id, at, move, stage, state, actor, detail)
        SELECT moved.id, :now, :move, moved.stage, :state, '{journal.WORKER}', CAST(given.detail AS jsonb)
          FROM moved
          JOIN given ON given.held_id = moved.id
"""  # noqa: S608 - as above
_POSTGRESQL = create_mock_engine("postgresql+psycopg://", lambda *_: None).dialect


def guarded_update(
    connection: Connection, changes: Sequence[GuardedChange], now: datetime
) -> dict[int, ClaimedMailing]:
    """Change held mailings' rows and write the traces of it; return those anew, by id, whose claim still held.

    Changes of the same shape are one statement, which is given the rows in the order of their ids.
    """
    alike: dict[_StatementShape, list[GuardedChange]] = defaultdict(list)
    for change in sorted(changes, key=lambda change: change.mailing.id):
        alike[_StatementShape.of(change)].append(change)
    after: dict[int, ClaimedMailing] = {}
    for shape, same in alike.items():
        before = {change.mailing.id: change.mailing for change in same}
        for row in connection.execute(_statement(shape), _bounds(shape, same, now)):
            after[row.id] = mailing_from_row(row._mapping, before[row.id])  # noqa: SLF001 - as in claims
    return after


def _bounds(shape: _StatementShape, changes: Sequence[GuardedChange], now: datetime) -> dict[str, Any]:
    bounds: dict[str, Any] = {
        "held_stage": shape.stage,
        "held_id": [change.mailing.id for change in changes],
        "held_claim": [change.mailing.claim for change in changes],
    }
    for name in shape.columns:
        bounds[f"to_{name}"] = [change.values[name] for change in changes]
    if shape.move is not None:
        details = database.texts(json.dumps(dict(change.trace.detail)) for change in changes)
        bounds |= {"now": now, "move": shape.move, "state": shape.state, "detail": details}
    if shape.notices:
        bounds |= {"now": now, "kinds": [kind.value for kind in shape.notices]}
    if shape.journal:
        bounds["calls"] = database.texts(journal.calls_as_json(change.trace.calls) for change in changes)
    return bounds


@lru_cache(maxsize=256)
def _statement(shape: _StatementShape) -> TextualSelect:
    """Return the statement that sets these columns and writes these traces, and plans for nothing else."""
    given = {"held_id": "bigint", "held_claim": "uuid"}
    given |= {f"to_{name}": _type_of(name) for name in shape.columns}
    traces = []
    if shape.move is not None:
        given["detail"] = "text"
        traces.append(_LOGGED)
    if shape.notices:
        traces.append(outbox.TELL_MOVED)
    if shape.journal:
        given["calls"] = "text"
        traces.append(journal.JOURNAL_MOVED)
    statement = _MOVE.format(
        arrays=", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in given.items()),
        names=", ".join(given),
        values=", ".join(f"{name} = given.to_{name}" for name in shape.columns),
        traces="".join(f", trace_{n} AS ({trace})" for n, trace in enumerate(traces)),
    )
    return text(statement).columns(*COLUMNS)


@lru_cache
def _type_of(column: str) -> str:
    kind: str = Mailing.__table__.columns[column].type.compile(_POSTGRESQL)
    return kind
