"""What the doctor says about a Redis that answers and yet takes no message."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from console.local.services import in_use
from console.local.valkey import Valkey
from console.queries.findings import Check, Verdict
from console.queries.redis_check import check_redis
from worker.settings import Settings


@pytest.fixture(scope="module")
def server(run_dir: Path) -> Iterator[Valkey]:
    server = Valkey(run_dir / "unwell")
    with in_use(server):
        yield server


@pytest.fixture
def redis(server: Valkey) -> Iterator[Redis]:
    """Yield a client of a server that is well again afterwards."""
    with Redis(unix_socket_path=str(server.socket)) as client:
        yield client
        client.replicaof("NO", "ONE")
        client.config_set("maxmemory", 0)
        client.acl_setuser("default", enabled=True, nopass=True, categories=["+@all"], keys=["*"])


def first(server: Valkey) -> Check:
    return next(check_redis(Settings(redis_url=server.url)))


def test_a_redis_that_takes_messages_is_well(server: Valkey) -> None:
    assert {check.verdict for check in check_redis(Settings(redis_url=server.url))} == {Verdict.OK}


def test_a_full_redis_is_named(server: Valkey, redis: Redis) -> None:
    redis.config_set("maxmemory", 1)

    found = first(server)

    assert found.is_broken
    assert found.found.startswith("is full: ")
    assert "maxmemory" in found.advice


def test_a_nearly_full_redis_is_a_warning(server: Valkey, redis: Redis) -> None:
    redis.config_set("maxmemory", int(redis.info("memory")["used_memory"] * 1.05))

    found = list(check_redis(Settings(redis_url=server.url)))

    assert [check.found.split(":")[0] for check in found if check.verdict is Verdict.WARN] == [
        "is nearly full"
    ]


def test_a_replica_is_named(server: Valkey, redis: Redis) -> None:
    redis.replicaof("127.0.0.1", "9")

    found = first(server)

    assert (found.verdict, found.found) == (Verdict.FAIL, "is a replica")


def test_a_user_that_may_only_read_is_named(server: Valkey, redis: Redis) -> None:
    redis.execute_command("ACL", "SETUSER", "default", "-set")

    found = first(server)

    redis.execute_command("ACL", "SETUSER", "default", "+@all")
    assert (found.verdict, found.found) == (Verdict.FAIL, "does not let this user write")


def test_a_redis_that_is_away_is_named() -> None:
    [away] = check_redis(Settings(redis_url="redis://127.0.0.1:9/0"))

    assert away.found == "away: ConnectionError"
