from collections.abc import Callable
from typing import Any

from sqlalchemy import Row

from models import State
from worker.desk import Desk
from worker.pipeline import Next, Pace, deliver


def test_a_mailing_becomes_one_paid_order(
    new_mailing: Any, finish: Callable[[int], Row[Any]], sandbox: Any, pen: Any
) -> None:
    sandbox.set(settleSeconds=0)
    mailing_id = new_mailing(people=3)

    row = finish(mailing_id)

    assert row.state is State.SENT, (row, pen.moves(mailing_id))
    ledger = sandbox.ledger()
    print(ledger)
    assert row.charged == row.quoted
