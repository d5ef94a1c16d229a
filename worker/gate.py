"""The create gate: while it is closed, no create begins except those that are being found out."""

from sqlalchemy import Connection, func, or_, select, update

from models import CreateGate, Mailing, Stage, State
from worker import moves
from worker.work import Work


def close(work: Work) -> bool:
    """Close the gate for this mailing, or keep it closed; False if it is closed for another.

    It opens by itself after a lease, for then this mailing's worker is dead or has given up.
    """
    now = work.now()
    with work.engine.begin() as connection:
        closed = connection.execute(
            update(CreateGate)
            .where(or_(CreateGate.holder == work.held.id, CreateGate.closed_until <= now))
            .values(holder=work.held.id, closed_until=now + work.desk.lease)
        )
    return closed.rowcount == 1


def calls_in_flight(work: Work) -> int:
    """Return how many other creates may be under way right now. A claim outlives its call, so no others can be."""
    with work.engine.connect() as connection:
        return connection.scalars(
            select(func.count()).where(
                Mailing.stage == Stage.CREATE,
                Mailing.state == State.WORKING,
                Mailing.recovering.is_(False),
                Mailing.lease_until > work.now(),
                Mailing.id != work.held.id,
            )
        ).one()


def open_again(connection: Connection, work: Work) -> None:
    """Open the gate that was closed for this mailing, and wake the creates that found it closed."""
    now = work.now()
    connection.execute(
        update(CreateGate).where(CreateGate.holder == work.held.id).values(holder=None, closed_until=now)
    )
    moves.wake_pushed(connection, now, work.desk.push_again, Mailing.stage == Stage.CREATE)
