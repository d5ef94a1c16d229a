"""A Mailrun worker whose vendor client is less patient, so that a run of minutes can outlast leases.

The lease must exceed the longest call (worker/desk.py): 50 s by default, 9 s with these bounds. Nothing else differs
from ``celery -A worker worker``.
"""

import sys

from lettrlabs import Timeouts

CONNECT, READ, WRITE, POOL, SLOT, TOTAL = 1.0, 2.0, 2.0, 1.0, 2.0, 4.0


def make_impatient() -> None:
    """Lower the defaults of every client that this process opens from now on."""
    Timeouts.__init__.__defaults__ = (CONNECT, READ, WRITE, POOL, SLOT, TOTAL)


def main() -> None:
    """Become Celery, with this process's own arguments."""
    make_impatient()
    from celery.__main__ import main as celery  # noqa: PLC0415 - whatever Celery imports finds the lower bounds

    celery()


if __name__ == "__main__":
    sys.argv[0] = "celery"
    main()
