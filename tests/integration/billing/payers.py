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
from worker.billing.budgets import SpendRequest
from worker.context import open_context
from worker.engine.pipeline import RunBudget, process
from worker.settings import read_settings


def main() -> None:
    mailings = [int(number) for number in sys.argv[1:]]
    context = open_context(read_settings())
    together, reserve = Barrier(len(mailings)), budgets.reserve

    def reserve_together(connection: Connection, takings: Sequence[SpendRequest]) -> None:
        together.wait(60)
        reserve(connection, takings)

    budgets.reserve = reserve_together

    def check_out(mailing_id: int) -> None:
        # Each as in a process of its own, or they would share commits instead of racing.
        process(replace(context), [mailing_id], Stage.CHECKOUT, RunBudget(stopping=True))

    with ThreadPoolExecutor(len(mailings)) as pool:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        list(pool.map(check_out, mailings))
    context.close()


main()
