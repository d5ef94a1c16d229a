"""The due scan beside a history: how long the beat's own statement takes to release what comes due."""

import time
from typing import Final

from sqlalchemy import Engine, text

from bench.due_scan import DUE, NOW, woken
from models import Priority

_COME_DUE: Final = text("""
    INSERT INTO mailing (key, request_digest, stage, state, priority, not_before, wake_at, template_id, postage,
                         speed, auto_bill, approval, size)
    SELECT 'due:' || n, '\\x00', 'create', 'queued', :priority, :now, :now, 1001, 'Standard', 'Normal', true,
           'auto', 1
      FROM generate_series(1, CAST(:due AS integer)) AS n
""")
# By their ids: to look for them would read the whole table, and push out of memory what the next turn needs.
_GO_AWAY: Final = text("DELETE FROM mailing WHERE id = ANY (:released)")


def release(engine: Engine) -> float:
    """Return the seconds it takes to release a thousand; nothing of them is left."""
    with engine.begin() as connection:
        connection.execute(_COME_DUE, {"now": NOW, "due": DUE, "priority": int(Priority.CAMPAIGN)})
    began = time.perf_counter()
    released = woken(engine)
    seconds = time.perf_counter() - began
    with engine.begin() as connection:
        connection.execute(_GO_AWAY, {"released": released})
    return seconds
