"""Reading a list into the database: by Mailrun, and by a bare COPY of the same rows into a bare table.

Run as a program of its own, so that what it takes up is its own: ``importing product|rows|bytes CSV``, the database
in ``DATABASE_URL``. Prints seconds, seconds of CPU and the highest megabytes as JSON.

``rows`` is the script that one would write instead: the list read with `csv`, each row handed to the driver's COPY,
nothing looked at. ``bytes`` is below what any program that reads a list can reach: a file that PostgreSQL wrote
itself, handed back to it in large pieces.
"""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.types.string import BytesBinaryDumper

from bench.memory_usage import Footprint
from intake.campaigns.submit import submit_campaign
from intake.options import Options
from worker.context import open_engine

DUMP: Final = "recipients.copy"
_PIECE: Final = 1 << 17
_BARE: Final = """
    DROP TABLE IF EXISTS bare;
    CREATE TABLE bare AS TABLE recipient WITH NO DATA
"""
_COLUMNS: Final = """
    mailing_id, position, "row", digest, person_digest, address_digest, email_digest, customer_digest,
    first_name, last_name, organization, address1, address2, city, state, zip_code, email, customer_id, merge,
    country, outcome
"""
_TYPES: Final = ("int8", "int4", "int4", *["bytea"] * 5, *["text"] * 10, "bytea", "text", "text")


@dataclass(frozen=True, slots=True)
class Import:
    """How one import went."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def run(way: str, path: Path, env: Mapping[str, str]) -> Import:
    """Do one import in a process of its own; raises CalledProcessError if it fails."""
    command = (sys.executable, "-m", "bench.large.import_rate", way, str(path))
    done = subprocess.run(command, env={**os.environ, **env}, check=True, stdout=subprocess.PIPE)  # noqa: S603
    return Import(**json.loads(done.stdout))


def dump(connection: psycopg.Connection[Any], path: Path) -> None:
    """Have PostgreSQL write down every recipient, for ``bytes``."""
    with (
        path.open("wb") as file,
        connection.cursor() as cursor,
        cursor.copy("COPY recipient TO STDOUT (FORMAT BINARY)") as rows,
    ):
        for piece in rows:
            file.write(piece)


def _by_product(path: Path, url: str) -> None:
    engine = open_engine(url)
    submit_campaign(engine, path, Options(template_id=1001), key=f"large {time.time_ns()}", again="everybody")
    engine.dispose()


def _by_rows(path: Path, url: str) -> None:
    with _connected(url) as connection, connection.cursor() as cursor:
        # As Mailrun does: the driver's own choice for bytea is written in Python.
        cursor.adapters.register_dumper(bytes, BytesBinaryDumper)
        with cursor.copy(f"COPY bare ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(_TYPES)
            for row in _rows(path):
                copy.write_row(row)


def _rows(path: Path) -> Iterator[tuple[Any, ...]]:
    """Yield the list's rows in the table's columns, with digests and merge fields of the right length."""
    digest = bytes(16)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for number, cells in enumerate(reader):
            known_by = (digest, digest, digest, digest, digest)
            *person, custom = cells
            merge = b'\x01{"custom1": "%s"}' % custom.encode()
            yield (number // 1000, number % 1000, number, *known_by, *person, merge, "US", "waiting")


def _by_bytes(path: Path, url: str) -> None:
    with (
        _connected(url) as connection,
        connection.cursor() as cursor,
        cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy,
        path.with_name(DUMP).open("rb") as file,
    ):
        while piece := file.read(_PIECE):
            copy.write(piece)


def _connected(url: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(url.replace("+psycopg", ""))
    connection.execute(_BARE)
    connection.commit()
    return connection


WAYS: Final = {"product": _by_product, "rows": _by_rows, "bytes": _by_bytes}


def main() -> None:
    """Do one import and say how it went."""
    way, path = WAYS[sys.argv[1]], Path(sys.argv[2])
    began, cpu = time.perf_counter(), time.process_time()
    way(path, os.environ["DATABASE_URL"])
    done = Import(time.perf_counter() - began, time.process_time() - cpu, Footprint.of().highest_megabytes)
    print(json.dumps(asdict(done)))


if __name__ == "__main__":
    main()
