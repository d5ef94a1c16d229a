"""The create gate: while it is closed, no create begins except those that are being found out."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select, update

from models import CreateGate, Mailing, Stage, State
from worker import transitions
from worker.job import StageJob
from worker.results import ClaimConflictError

# How long the gate stays shut for the next unsure create: they look again every second. Were it opened in between,
# each would wait anew for the creates begun meanwhile, and after a crash with many under way hardly any would begin.
GATE_HANDOVER = timedelta(seconds=5)


def close_gate(job: StageJob) -> bool:
    """Close the gate for this mailing, keep it closed or take it over; False if it is closed for another.

    It opens by itself after a lease, for then this mailing's worker is dead or has given up.
    """
    now = job.now()
    with job.engine.begin() as connection:
        closed = connection.execute(
            update(CreateGate)
            .where(
                or_(
                    CreateGate.holder == job.mailing.id,
                    CreateGate.holder.is_(None),
                    CreateGate.closed_until <= now,
                )
            )
            .values(holder=job.mailing.id, closed_until=now + job.context.lease)
        )
    return closed.rowcount == 1


def creates_in_flight(job: StageJob) -> int:
    """Return how many other creates may be under way right now. A claim outlives its call, so no others can be."""
    with job.engine.connect() as connection:
        return connection.scalars(
            select(func.count()).where(
                Mailing.stage == Stage.CREATE,
                Mailing.state == State.WORKING,
                Mailing.recovering.is_(False),
                Mailing.lease_until > job.now(),
                Mailing.id != job.mailing.id,
            )
        ).one()


def open_gate(connection: Connection, job: StageJob) -> None:
    """Open the gate that was closed for this mailing, and wake the creates that found it closed.

    If other unsure creates are about to be found out, it is handed to them closed: the last one opens it.
    Raises Contested if it did not stay closed all along: a draft that was found may then be of a create under way,
    and of another template.
    """
    now = job.now()
    heirs = _about_to_recover(connection, job.mailing.id, now)
    opened = connection.execute(
        update(CreateGate)
        .where(CreateGate.holder == job.mailing.id, CreateGate.closed_until > now)
        .values(holder=None, closed_until=now + GATE_HANDOVER if heirs else now)
    )
    if opened.rowcount != 1:
        raise ClaimConflictError
    waiting = [Mailing.stage == Stage.CREATE, *([Mailing.recovering.is_(True)] if heirs else [])]
    transitions.wake_recently_dispatched(connection, now, job.context.redispatch_after, *waiting)


def _about_to_recover(connection: Connection, but: int, now: datetime) -> bool:
    """Return whether another unsure create looks again so soon that the gate may stay closed for it."""
    found = connection.scalars(
        select(Mailing.id)
        .where(
            Mailing.stage == Stage.CREATE,
            Mailing.recovering.is_(True),
            Mailing.state.in_([State.QUEUED, State.WORKING]),
            Mailing.not_before <= now + GATE_HANDOVER,
            # Those that wait for a draft to become visible look again soon, and need no gate until then.
            Mailing.missing_since.is_(None),
            Mailing.id != but,
        )
        .limit(1)
    )
    return found.one_or_none() is not None
