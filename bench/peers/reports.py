"""What a peer tells a person: the log line or alert by which somebody learns that mail was not sent."""

import json
import os
from collections.abc import Iterator
from pathlib import Path


def report(key: str, why: str, people: tuple[str, ...] = ()) -> None:
    """Write that a mailing failed, or with `people` that these of it were refused."""
    line = json.dumps({"key": key, "why": why, "people": people}) + "\n"
    # One write to a file opened for appending: lines of several processes do not mix, and a kill loses none.
    handle = os.open(os.environ["BENCH_REPORTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def reports(path: Path) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield each report: key, reason, people."""
    if path.exists():
        for line in path.read_text().splitlines():
            told = json.loads(line)
            yield told["key"], told["why"], tuple(told["people"])
