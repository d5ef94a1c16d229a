"""Enqueues the DBOS workflows at a given pace, each under its mailing's key: ``feed_workflow FILE RATE``."""

import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from dbos import DBOSClient, EnqueueOptions
from sqlalchemy.exc import SQLAlchemyError

from bench import workload
from bench.peers.workflow import QUEUE, VERSION, WORKFLOW


def main() -> None:
    """Feed everything and end, asking again while the database is away."""
    client = DBOSClient(system_database_url=os.environ["DATABASE_URL"])
    for letter in workload.paced(workload.read(Path(sys.argv[1])), float(sys.argv[2])):
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": letter.key,
            "app_version": VERSION,
        }
        while True:
            try:
                client.enqueue(options, asdict(letter))
                break
            except SQLAlchemyError:
                time.sleep(0.5)
    client.destroy()


if __name__ == "__main__":
    main()
