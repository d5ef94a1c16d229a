"""Enqueues the DBOS workflows at a given pace, each under its mailing's key: ``feed_workflow FILE RATE``."""

import os
import sys
from dataclasses import asdict
from pathlib import Path

from dbos import DBOSClient, EnqueueOptions

from bench import letters
from bench.peers.workflow import QUEUE, VERSION, WORKFLOW


def main() -> None:
    """Feed everything and end; the client waits for its database by itself."""
    client = DBOSClient(system_database_url=os.environ["DATABASE_URL"])
    for letter in letters.paced(letters.read(Path(sys.argv[1])), float(sys.argv[2])):
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": letter.key,
            "app_version": VERSION,
        }
        client.enqueue(options, asdict(letter))
    client.destroy()


if __name__ == "__main__":
    main()
