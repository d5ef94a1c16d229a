"""Starts the chains at a given pace, again and again while the broker is away: ``feed_chain FILE RATE``."""

import sys
import time
from pathlib import Path

from kombu.exceptions import OperationalError

from bench import workload
from bench.peers.chain import send


def main() -> None:
    """Feed everything and end."""
    for letter in workload.paced(workload.read(Path(sys.argv[1])), float(sys.argv[2])):
        while True:
            try:
                send(letter)
                break
            except (OperationalError, OSError):
                time.sleep(0.5)


if __name__ == "__main__":
    main()
