"""The statement behind every move of a claim's holder: the fenced UPDATE, and what it leaves behind.

One statement, so that one round trip to the database makes the move, writes the event log and the journal, and tells
the webhooks; if the claim was lost it does none of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, TextualSelect, text

from lettrlabs import Call
from models import Move, NoticeKind, State
from worker import evidence, outbox
from worker.moves.claims import COLUMNS, RETURNING, Held, held_from
from worker.results import Facts


@dataclass(frozen=True, slots=True)
class Trace:
    """What is left behind beside the row: the calls made under the claim, and, of a move, its line in the log."""

    calls: Sequence[Call] = ()
    move: Move | None = None
    state: State | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    notices: Sequence[NoticeKind] = ()


# The guard is stage, state and claim; nothing else may stand between a late holder and somebody else's mailing.
_MOVE = f"""
    WITH moved AS (
        UPDATE mailing
           SET {{values}}
         WHERE id = :held_id
           AND stage = :held_stage
           AND state = 'working'
           AND claim = :held_claim
        RETURNING {RETURNING}
    ){{traces}}
    SELECT * FROM moved
"""  # noqa: S608 - built from constants of this package
_LOGGED = f"""
        INSERT INTO event_log (mailing_id, at, move, stage, state, actor, detail)
        SELECT id, :now, :move, stage, :state, '{evidence.WORKER}', CAST(:detail AS jsonb)
          FROM moved
"""  # noqa: S608 - as above


def fenced(connection: Connection, held: Held, values: Facts, now: datetime, trace: Trace) -> Held | None:
    """Change a held mailing's row and write the trace of it; return it anew, or None if the claim was lost."""
    bounds: dict[str, Any] = {"held_id": held.id, "held_stage": held.stage, "held_claim": held.claim}
    bounds |= {f"to_{name}": value for name, value in values.items()}
    traces: dict[str, dict[str, Any]] = {}
    if trace.move is not None:
        detail = json.dumps(dict(trace.detail))
        traces[_LOGGED] = {"now": now, "move": trace.move, "state": trace.state, "detail": detail}
    if trace.notices:
        traces[outbox.TELL_MOVED] = {"now": now, "kinds": [kind.value for kind in trace.notices]}
    if trace.calls:
        traces[evidence.JOURNAL_MOVED] = {"calls": evidence.as_json(trace.calls)}
    for given in traces.values():
        bounds |= given
    row = connection.execute(_statement(tuple(values), tuple(traces)), bounds).one_or_none()
    return None if row is None else held_from(row._mapping, held)  # noqa: SLF001 - as in claims


@lru_cache(maxsize=256)
def _statement(columns: tuple[str, ...], traces: tuple[str, ...]) -> TextualSelect:
    """Return the statement that sets these columns and writes these traces, and plans for nothing else."""
    values = ", ".join(f"{name} = :to_{name}" for name in columns)
    written = "".join(f", trace_{n} AS ({trace})" for n, trace in enumerate(traces))
    return text(_MOVE.format(values=values, traces=written)).columns(*COLUMNS)
