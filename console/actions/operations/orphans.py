"""Strays in a person's hands."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select

from console.local.services import open_services
from console.output import print_note, print_result, show_json
from console.session import open_session
from console.views.orphans import stray_table
from models import OrphanOrder, OrphanStatus
from worker.clock import system_clock
from worker.context import WorkerContext, open_context
from worker.orphans import finder, registry
from worker.periodic import orphan_sweep


@contextmanager
def open_worker_context() -> Iterator[WorkerContext]:
    """Yield what a worker works with, for the few commands that speak to the vendor about orders."""
    with open_session(broker=True) as session, open_services(session.settings) as services:
        addresses = {"database_url": services.database_url, "redis_url": services.redis_url}
        context = open_context(session.settings.model_copy(update=addresses))
        try:
            yield context
        finally:
            context.close()


def list_strays(*, as_json: bool) -> None:
    """Print the strays as the last look left them."""
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        found = _open_strays(connection)
        if as_json:
            show_json(session.vendor, strays=found)
        elif found:
            print_result(stray_table(found))
        else:
            print_result("No strays: every draft that was seen belongs to a mailing.")


def look() -> int:
    """Look for strays now, and print what is there."""
    with open_worker_context() as context:
        swept = orphan_sweep.run_once(context, system_clock())
        with context.engine.connect() as connection:
            found = _open_strays(connection)
    for order_id in swept.deleted:
        print_note(f"order {order_id} is deleted")
    print_result(stray_table(found) if found else "No strays.")
    return 0


def delete_strays(order_ids: list[int]) -> int:
    """Delete these, each told; returns 1 if one is left."""
    left = 0
    with open_worker_context() as context:
        round_ = orphan_sweep.SweepRun(context.engine, context.vendor, system_clock())
        here = set(finder.find_orphans(round_).empty)
        for order_id in order_ids:
            gone = order_id in here and registry.delete_draft(round_, order_id, "deleted by a person")
            left += not gone
            print_note(f"order {order_id} {_what_became(gone=gone, was_there=order_id in here)}")
    return 1 if left else 0


def _what_became(*, gone: bool, was_there: bool) -> str:
    if gone:
        return "is deleted"
    if was_there:
        return "could not be deleted now: try again"
    return "is not an empty draft that no mailing uses: nothing was done"


def _open_strays(connection: Connection) -> list[dict[str, object]]:
    query = select(*OrphanOrder.__table__.columns).where(
        OrphanOrder.fate.in_([OrphanStatus.SEEN, OrphanStatus.CONDEMNED])
    )
    return [dict(row) for row in connection.execute(query.order_by(OrphanOrder.first_seen)).mappings()]
