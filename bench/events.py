"""How many signed events a second: Mailrun beside the same web stack doing one bare INSERT for each request.

Both are served by one process each, on one durable PostgreSQL, with a commit for each request, in turns in the same
run. The requests are made and signed beforehand, so that the generator, which shares the machine, costs both alike.
Prints events a second and p50/p99 of each, and exits 1 below 0.6 of the bare stack.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import migrations
from console.api.app import CONNECTIONS
from console.api.server import READY, listen, run
from console.local.postgres import Postgres
from console.local.services import in_use
from worker.context import open_engine
from worker.webhooks.signatures import fresh_secret, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST: Final = 0.6
ROUNDS: Final = 4
REQUESTS: Final = 1500
SENDERS: Final = 16


@dataclass
class Side:
    """One of the two, and how long each of its answers took, in seconds."""

    name: str
    port: int
    path: str
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        """Return a quantile of the latencies, in milliseconds."""
        return 1000 * sorted(self.latencies)[int(share * (len(self.latencies) - 1))]


def main() -> int:
    """Run both in turns and compare."""
    secret = fresh_secret()
    with tempfile.TemporaryDirectory(prefix="mailrun-bench-") as directory:
        server = Postgres(Path(directory) / "postgres")
        with in_use(server):
            url = server.owner_url()
            migrations.upgrade(url)
            env = {**os.environ, "DATABASE_URL": url, "MAILRUN_EVENT_SECRETS": secret}
            web = (sys.executable, "-m", "console", "web", "--port", "0")
            bare = (sys.executable, "-m", "bench.events", "bare")
            with serving(bare, env) as bare_port, serving(web, env) as web_port:
                sides = (
                    Side("one bare INSERT", bare_port, "/bare"),
                    Side("signed events", web_port, "/v1/events"),
                )
                asyncio.run(measure(sides, secret))
    return tell(*sides)


@contextmanager
def serving(command: tuple[str, ...], env: dict[str, str]) -> "Iterator[int]":
    """Run a server; yields its port."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    try:
        for line in process.stdout or ():
            if READY in line:
                yield int(line.rsplit(":", 1)[1])
                break
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout:
            process.stdout.close()


async def measure(sides: tuple[Side, ...], secret: str) -> None:
    """Give each side its requests, in turns; the first round only warms both up."""
    for turn in range(ROUNDS + 1):
        # Whoever comes second finds the machine as the first left it: each comes first as often as the other.
        for side in sides if turn % 2 else sides[::-1]:
            requests = [request(side, secret) for _ in range(REQUESTS if turn else 200)]
            latencies: list[float] = []
            started = time.perf_counter()
            await asyncio.gather(*(send(side.port, requests, latencies) for _ in range(SENDERS)))
            if turn:
                side.seconds += time.perf_counter() - started
                side.latencies += latencies


def request(side: Side, secret: str) -> bytes:
    """Return a whole request: an event of the usual size that nobody sent before."""
    event = {
        "specversion": "1.0",
        "id": uuid.uuid4().hex,
        "source": "https://shop.example.com",
        "type": "com.example.signup",
        "time": datetime.now(UTC).isoformat(),
        "data": {
            "customer": {"first_name": "Ann", "last_name": "Lee", "email": "ann@example.com", "plan": "pro"},
            "address": {"street": "1 Oak St", "city": "Boston", "state": "MA", "zip": "02108"},
        },
    }
    body = json.dumps(event)
    headers = {
        "host": f"127.0.0.1:{side.port}",
        "content-type": "application/cloudevents+json",
        "content-length": str(len(body)),
        **sign([secret], f"msg_{event['id']}", datetime.now(UTC), body),
    }
    lines = [f"POST {side.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


async def send(port: int, requests: list[bytes], latencies: list[float]) -> None:
    """Send what is left over one connection, one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while requests:
        whole = requests.pop()
        started = time.perf_counter()
        writer.write(whole)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        body = await reader.readexactly(length)
        latencies.append(time.perf_counter() - started)
        if status != 202:  # noqa: PLR2004 - HTTP's "accepted"
            raise SystemExit(f"answered {status}: {body.decode()}")
    writer.close()


def tell(bare: Side, ours: Side) -> int:
    """Print what came of it; returns the exit code."""
    for side in (bare, ours):
        print(
            f"{side.name:16} {side.rate:7.0f} a second, p50 {side.quantile(0.5):5.1f} ms, "
            f"p99 {side.quantile(0.99):5.1f} ms ({len(side.latencies)} answers, a commit each)"
        )
    share = ours.rate / bare.rate
    print(f"{share:.2f} of the bare stack (at least {LEAST})")
    return 0 if share >= LEAST else 1


def serve_bare(database_url: str) -> None:
    """Serve one INSERT and its commit for each request, on the stack that Mailrun uses."""
    engine = open_engine(database_url, connections=CONNECTIONS)
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE IF NOT EXISTS bare (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, body text)"
            )
        )
    limiter = CapacityLimiter(CONNECTIONS)

    async def take(request: Request) -> Response:
        body = (await request.body()).decode()
        number = await to_thread.run_sync(lambda: insert(engine, body), limiter=limiter)
        return JSONResponse({"id": number}, 202)

    run(Starlette(routes=[Route("/bare", take, methods=["POST"])]), listen("127.0.0.1", 0))


def insert(engine: Engine, body: str) -> int:
    """Write one row down."""
    with engine.begin() as connection:
        statement = text("INSERT INTO bare (body) VALUES (:body) RETURNING id")
        return int(connection.execute(statement, {"body": body}).scalar_one())


if __name__ == "__main__":
    if sys.argv[1:] == ["bare"]:
        serve_bare(os.environ["DATABASE_URL"])
    else:
        sys.exit(main())
