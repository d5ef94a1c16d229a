"""A worker process of the budget race: sixteen threads, each checking one mailing out. Run as a program.

The threads wait for each other right before they reserve, inside their transactions: without that the vendor's
answers would let them through one by one, and nothing would race.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

from sqlalchemy import Connection

from models import Stage
from worker.billing import budgets
from worker.billing.budgets import Taking
from worker.context import open_desk
from worker.engine.pipeline import Pace, deliver
from worker.settings import read_settings


def main() -> None:
    mailings = [int(number) for number in sys.argv[1:]]
    desk = open_desk(read_settings())
    together, reserve = Barrier(len(mailings)), budgets.reserve

    def reserve_together(connection: Connection, takings: Sequence[Taking]) -> None:
        together.wait(60)
        reserve(connection, takings)

    budgets.reserve = reserve_together

    def check_out(mailing_id: int) -> None:
        # Each as in a process of its own, or they would share commits instead of racing.
        deliver(replace(desk), [mailing_id], Stage.CHECKOUT, Pace(stopping=True))

    with ThreadPoolExecutor(len(mailings)) as pool:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        list(pool.map(check_out, mailings))
    desk.close()


main()
