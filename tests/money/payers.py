"""A worker process of the budget race: sixteen threads, each checking one mailing out. Run as a program."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from models import Stage
from worker.desk import open_desk
from worker.pipeline import Pace, deliver
from worker.settings import read_settings


def main() -> None:
    mailings = [int(number) for number in sys.argv[1:]]
    desk = open_desk(read_settings())
    together = Barrier(len(mailings))

    def check_out(mailing_id: int) -> None:
        together.wait()
        deliver(desk, mailing_id, Stage.CHECKOUT, Pace(stopping=True))

    with ThreadPoolExecutor(len(mailings)) as pool:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        list(pool.map(check_out, mailings))
    desk.close()


main()
