"""The outbox: a notice for each webhook, written in the transaction of the move that it tells of.

So nothing is told that did not happen, and nothing that happened goes untold. It is sent later
(`worker.periodic.webhook_delivery`), at least once: a receiver may get one twice, under the same id.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, text

from models import NotificationType, Stage, State, Transition
from worker.billing import budgets
from worker.results import Advance, Completed, Details, Failed, NeedsApproval, NeedsReview, Result

# Standard mail is out of the printer's hands in days, and the post's in weeks (LettrLabs, Checkout Summary).
FIRST_LOOK: Final = timedelta(days=1)
FIRST_LOOK_AT_ORDER: Final = timedelta(hours=6)
LONGEST_TRACKED: Final = timedelta(days=60)

_WANTED: Final = "(w.kinds = '{}' OR CAST(:kind AS text) = ANY (w.kinds))"
_TELL = text(f"""
    INSERT INTO notice (webhook_id, kind, mailing_id, position, at, wake_at)
    SELECT w.id, CAST(:kind AS text), :mailing_id, CAST(:position AS integer), :now, :now
      FROM webhook AS w
     WHERE {_WANTED}
""")  # noqa: S608 - built from constants of this module
# For the statement of moves: `moved` are the rows they moved, and of others nothing is told.
TELL_MOVED: Final = """
        INSERT INTO notice (webhook_id, kind, mailing_id, at, wake_at)
        SELECT w.id, told.kind, moved.id, :now, :now
          FROM moved
         CROSS JOIN unnest(CAST(:kinds AS text[])) AS told (kind)
          JOIN webhook AS w ON w.kinds = '{}' OR told.kind = ANY (w.kinds)
"""
_TELL_REJECTED = text(f"""
    INSERT INTO notice (webhook_id, kind, mailing_id, position, at, wake_at)
    SELECT w.id, CAST(:kind AS text), r.mailing_id, r.position, :now, :now
      FROM webhook AS w
      JOIN recipient AS r ON r.mailing_id = :mailing_id AND r.outcome = 'rejected'
     WHERE {_WANTED}
       AND NOT EXISTS (SELECT FROM notice AS n
                        WHERE n.webhook_id = w.id
                          AND n.mailing_id = r.mailing_id
                          AND n.position = r.position
                          AND n.kind = CAST(:kind AS text))
""")  # noqa: S608 - as above
_TRACK = text("""
    WITH sent AS (
        SELECT mailing_id
          FROM unnest(CAST(:mailing_ids AS bigint[])) AS mailing_id
    ), enrolled AS (
        INSERT INTO paid_order (mailing_id, wake_at)
        SELECT mailing_id, :first_look_at_order
          FROM sent
        ON CONFLICT (mailing_id) DO UPDATE SET wake_at = excluded.wake_at
    )
    INSERT INTO tracking (mailing_id, wake_at, until)
    SELECT mailing_id, :first_look, :until
      FROM sent
     WHERE EXISTS (SELECT FROM webhook AS w
                    WHERE w.kinds = '{}' OR w.kinds && ARRAY['recipient.delivered', 'recipient.undeliverable'])
    ON CONFLICT DO NOTHING
""")

_OF_MOVES: Final = {
    (Transition.APPROVE, State.QUEUED): NotificationType.MAILING_APPROVED,
    (Transition.SUSPECT, State.ATTENTION): NotificationType.MAILING_ATTENTION,
    (Transition.REOPEN, State.ATTENTION): NotificationType.MAILING_ATTENTION,
    (Transition.RESOLVE, State.SENT): NotificationType.MAILING_SENT,
    (Transition.RESOLVE, State.FAILED): NotificationType.MAILING_FAILED,
}


def enqueue(
    connection: Connection,
    kind: NotificationType,
    mailing_id: int,
    now: datetime,
    position: int | None = None,
) -> None:
    """Write a notice for every webhook that wants this kind; a disabled one gets it once it is enabled."""
    values = {"kind": kind.value, "mailing_id": mailing_id, "now": now, "position": position}
    connection.execute(_TELL, values)


def enqueue_for_transition(
    connection: Connection, mailing_id: int, move: Transition, state: State, now: datetime
) -> None:
    """Tell of a person's move, if it is one to tell of."""
    kind = _OF_MOVES.get((move, state))
    if kind is not None:
        enqueue(connection, kind, mailing_id, now)
    if kind is NotificationType.MAILING_SENT:
        _track(connection, [mailing_id], now)


def notifications_for(result: Result) -> tuple[NotificationType, ...]:
    """Return what there is to tell of what a stage came to."""
    match result:
        case NeedsApproval(values) if values.get("reason_code") == budgets.OVER_BUDGET:
            # Priced before; now it waits for more money, which nobody would hear of otherwise.
            return (NotificationType.MAILING_ATTENTION,)
        case Advance(Stage.CHECKOUT) | NeedsApproval():
            return (NotificationType.MAILING_QUOTED,)
        case NeedsReview(values=values):
            # Taken, if not what was quoted: the money is gone either way.
            return (*_charged(values), NotificationType.MAILING_ATTENTION)
        case Failed():
            return (NotificationType.MAILING_FAILED,)
        case Completed(values):
            return (*_charged(values), NotificationType.MAILING_SENT)
        case _:
            return ()


def _charged(values: Details) -> tuple[NotificationType, ...]:
    return () if values.get("charged") is None else (NotificationType.MAILING_CHARGED,)


def enqueue_recipient_notifications(
    connection: Connection, results: Mapping[int, Result], now: datetime
) -> None:
    """Tell of the people of mailings what their stages came to for them, and begin to look for sent pieces."""
    sent = []
    for mailing_id, result in results.items():
        match result:
            case Advance(Stage.PROOF, values) if values.get("rejected"):
                _tell_rejected(connection, mailing_id, now)
            case Failed():
                _tell_rejected(connection, mailing_id, now)
            case Completed():
                sent.append(mailing_id)
            case _:
                pass
    if sent:
        _track(connection, sent, now)


def _tell_rejected(connection: Connection, mailing_id: int, now: datetime) -> None:
    """Tell of each refusal once: a mailing comes by here again whenever somebody is taken off its draft."""
    kind = NotificationType.RECIPIENT_REJECTED.value
    connection.execute(_TELL_REJECTED, {"kind": kind, "mailing_id": mailing_id, "now": now})


def _track(connection: Connection, mailing_ids: Sequence[int], now: datetime) -> None:
    """Begin to look at the orders of sent mailings, and for their pieces if a webhook wants to hear of them."""
    bounds = {
        "mailing_ids": mailing_ids,
        "first_look_at_order": now + FIRST_LOOK_AT_ORDER,
        "first_look": now + FIRST_LOOK,
        "until": now + LONGEST_TRACKED,
    }
    connection.execute(_TRACK, bounds)
