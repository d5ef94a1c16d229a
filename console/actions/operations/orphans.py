"""Strays in a person's hands."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select

from console.local.services import open_services
from console.output import remark, show, show_json
from console.session import open_session
from console.views.orphans import stray_table
from models import Stray, StrayFate
from worker.clock import system_clock
from worker.context import Desk, open_desk
from worker.orphans import finder, registry
from worker.periodic import orphan_sweep


@contextmanager
def at_the_desk() -> Iterator[Desk]:
    """Yield what a worker works with, for the few commands that speak to the vendor about orders."""
    with open_session(broker=True) as session, open_services(session.settings) as services:
        addresses = {"database_url": services.database_url, "redis_url": services.redis_url}
        desk = open_desk(session.settings.model_copy(update=addresses))
        try:
            yield desk
        finally:
            desk.close()


def list_strays(*, as_json: bool) -> None:
    """Print the strays as the last look left them."""
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        found = _open_strays(connection)
        if as_json:
            show_json(session.vendor, strays=found)
        elif found:
            show(stray_table(found))
        else:
            show("No strays: every draft that was seen belongs to a mailing.")


def look() -> int:
    """Look for strays now, and print what is there."""
    with at_the_desk() as desk:
        swept = orphan_sweep.run_once(desk, system_clock())
        with desk.engine.connect() as connection:
            found = _open_strays(connection)
    for order_id in swept.deleted:
        remark(f"order {order_id} is deleted")
    show(stray_table(found) if found else "No strays.")
    return 0


def delete_strays(order_ids: list[int]) -> int:
    """Delete these, each told; returns 1 if one is left."""
    left = 0
    with at_the_desk() as desk:
        round_ = orphan_sweep.Round(desk.engine, desk.vendor, system_clock())
        here = set(finder.unexplained_drafts(round_).empty)
        for order_id in order_ids:
            gone = order_id in here and registry.discard(round_, order_id, "deleted by a person")
            left += not gone
            remark(f"order {order_id} {_what_became(gone=gone, was_there=order_id in here)}")
    return 1 if left else 0


def _what_became(*, gone: bool, was_there: bool) -> str:
    if gone:
        return "is deleted"
    if was_there:
        return "could not be deleted now: try again"
    return "is not an empty draft that no mailing uses: nothing was done"


def _open_strays(connection: Connection) -> list[dict[str, object]]:
    query = select(*Stray.__table__.columns).where(Stray.fate.in_([StrayFate.SEEN, StrayFate.CONDEMNED]))
    return [dict(row) for row in connection.execute(query.order_by(Stray.first_seen)).mappings()]
