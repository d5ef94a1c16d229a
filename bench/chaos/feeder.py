"""Queues the mailings with Mailrun at a given pace, each under its key: ``feed FILE RATE``."""

import os
import sys
import time
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError

from bench import workload
from bench.workload import Person, SampleMailing
from intake.mailings import submit_mailing
from intake.options import Options
from intake.recipients.recipient import Recipient
from models import Priority


def main() -> None:
    """Feed everything and end, asking again while the database is away."""
    engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)
    for number, letter in enumerate(workload.paced(workload.read(Path(sys.argv[1])), float(sys.argv[2]))):
        while True:
            try:
                submit(engine, letter, Priority.EVENT if number % 3 == 0 else Priority.CAMPAIGN)
                break
            except OperationalError:
                time.sleep(0.5)


def submit(engine: Engine, letter: SampleMailing, priority: Priority) -> None:
    """Queue one mailing under its key."""
    people = [_recipient(person) for person in letter.people]
    submit_mailing(engine, people, Options(template_id=letter.template), key=letter.key, priority=priority)


def _recipient(person: Person) -> Recipient:
    return Recipient(
        address1=person.address1,
        city=person.city,
        state=person.state,
        zip_code=person.zip_code,
        first_name=person.first_name,
        last_name=person.last_name,
    )


if __name__ == "__main__":
    main()
