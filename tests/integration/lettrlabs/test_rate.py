"""All workers keep one limit and one quiet, through Redis where it is there and alone where it is not."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from console.local.services import in_use
from console.local.valkey import Valkey
from lettrlabs import Accepted, LettrLabs, NotSent, RateLimit, Timeouts, Unavailable, rate_limit

# The scripted vendor of conftest.py, a class that pytest's importlib mode leaves without a name to import.
Vendor = Any
Connect = Callable[..., LettrLabs]


def taken_in_half_a_second(*limits: RateLimit) -> int:
    """Ask all the limits for slots, each from two threads, and count what they gave."""
    until = time.monotonic() + 0.5

    def ask(limit: RateLimit) -> int:
        count = 0
        while (left := until - time.monotonic()) > 0:
            count += limit.wait(left) is None
        return count

    with ThreadPoolExecutor(2 * len(limits)) as pool:
        return sum(pool.map(ask, limits * 2))


def test_two_workers_share_one_limit(redis_url: str, broker_prefix: str) -> None:
    one, other = (RateLimit(redis_url, per_second=20, prefix=broker_prefix) for _ in range(2))

    # One second's worth, whoever asks; a limit for each would give twice that.
    assert taken_in_half_a_second(one, other) == 20


def test_workers_that_take_many_slots_at_once_share_one_limit_too(redis_url: str, broker_prefix: str) -> None:
    one, other = (RateLimit(redis_url, per_second=200, prefix=broker_prefix) for _ in range(2))

    assert 195 <= taken_in_half_a_second(one, other) <= 200


def test_other_prefixes_are_other_limits(redis_url: str, broker_prefix: str) -> None:
    one, other = (RateLimit(redis_url, per_second=1, prefix=broker_prefix + name) for name in ("a:", "b:"))

    assert (one.wait(0), other.wait(0)) == (None, None)


def test_a_rate_below_one_a_second_spreads_over_seconds(redis_url: str, broker_prefix: str) -> None:
    limit = RateLimit(redis_url, per_second=0.5, prefix=broker_prefix)

    assert limit.wait(0) is None
    pause = limit.wait(0)

    assert pause is not None
    assert 1.5 < pause <= 2


def test_a_slot_is_waited_for_no_longer_than_allowed(redis_url: str, broker_prefix: str) -> None:
    limit = RateLimit(redis_url, per_second=1, prefix=broker_prefix)
    limit.wait(0)

    start = time.monotonic()
    assert limit.wait(0.2) is not None
    assert time.monotonic() - start < 0.2
    assert limit.wait(2) is None


@pytest.mark.parametrize("per_second", [None, 1000])
def test_a_429_to_one_worker_makes_every_worker_quiet(
    per_second: float | None, redis_url: str, broker_prefix: str, vendor: Vendor, connect: Connect
) -> None:
    one, other = (
        connect(vendor.url, rate=RateLimit(redis_url, per_second=per_second, prefix=broker_prefix))
        for _ in range(2)
    )
    vendor.then(vendor.says(429, b"", Retry_After="30"), vendor.pays({"orderId": 5}))

    assert isinstance(one.create_order(7), NotSent)

    for client in (one, other):
        answer = client.create_order(7)
        assert isinstance(answer, NotSent)
        assert answer.retry_after is not None
        assert 28 < answer.retry_after <= 30
        assert answer.call.status is None
        with pytest.raises(Unavailable) as told:
            client.me()
        assert told.value.retry_after is not None
        assert 28 < told.value.retry_after <= 30
    assert len(vendor.heard) == 1


def test_work_goes_on_when_the_quiet_is_over(
    redis_url: str, broker_prefix: str, vendor: Vendor, connect: Connect
) -> None:
    one, other = (
        connect(
            vendor.url,
            rate=RateLimit(redis_url, per_second=1000, prefix=broker_prefix),
            timeouts=Timeouts(slot=3),
        )
        for _ in range(2)
    )
    vendor.then(vendor.says(429, b"", Retry_After="1"), vendor.pays({"orderId": 5}))

    start = time.monotonic()
    assert isinstance(one.create_order(7), NotSent)
    assert isinstance(other.create_order(7), Accepted)

    assert 0.9 < time.monotonic() - start < 2


def test_a_short_quiet_does_not_end_a_long_one(redis_url: str, broker_prefix: str) -> None:
    one, other = (RateLimit(redis_url, per_second=1000, prefix=broker_prefix) for _ in range(2))

    one.hush(30)
    other.hush(1)

    for limit in (one, other, RateLimit(redis_url, prefix=broker_prefix)):
        pause = limit.wait(0)
        assert pause is not None
        assert pause > 20


def test_without_a_slot_nothing_is_sent(vendor: Vendor, connect: Connect) -> None:
    vendor.then(vendor.pays({"orderId": 5}))
    client = connect(vendor.url, rate=RateLimit(None, per_second=1))

    assert isinstance(client.create_order(7), Accepted)
    answer = client.create_order(7)

    assert isinstance(answer, NotSent)
    assert answer.retry_after is not None
    with pytest.raises(Unavailable, match="no slot within the rate limit"):
        client.me()
    assert len(vendor.heard) == 1


def test_a_process_alone_keeps_its_quiet(vendor: Vendor, connect: Connect) -> None:
    vendor.then(vendor.says(429, b""))
    client = connect(vendor.url)

    client.create_order(7)
    answer = client.create_order(7)

    assert isinstance(answer, NotSent)
    assert len(vendor.heard) == 1


def test_without_redis_each_process_keeps_the_limit_alone_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limit = RateLimit(f"redis+socket://:hush-hush@{tmp_path}/none.sock", per_second=20)

    assert taken_in_half_a_second(limit) == 20
    limit.hush(5)

    assert caplog.text.count("lettrlabs.rate_limit.redis_away") == 1
    assert "hush-hush" not in caplog.text


def test_the_limit_is_shared_again_when_redis_is_back(
    run_dir: Path, broker_prefix: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rate_limit, "_AWAY", 0.0)
    caplog.set_level(logging.WARNING)
    server = Valkey(run_dir / "comes-and-goes")
    one, other = (RateLimit(server.url, per_second=1, prefix=broker_prefix) for _ in range(2))

    with in_use(server):
        assert one.wait(0) is None
    assert other.wait(0) is None
    with in_use(server):
        assert one.wait(2) is None
        assert other.wait(0) is not None

    assert caplog.text.count("redis_away") == caplog.text.count("redis_back") == 1


@pytest.mark.parametrize(
    ("per_second", "slots"),
    [(40, 1), (10_000, 200)],
    ids=["a slot", "a fiftieth of a second's worth of many"],
)
def test_slots_cost_one_round_trip(redis_url: str, broker_prefix: str, per_second: float, slots: int) -> None:
    limit = RateLimit(redis_url, per_second=per_second, prefix=broker_prefix)
    for _ in range(slots):
        limit.wait(0)
    with (
        Redis(unix_socket_path=redis_url.removeprefix("redis+socket://")) as redis,
        redis.monitor() as monitor,
    ):
        heard = monitor.listen()
        for _ in range(slots):
            assert limit.wait(0) is None
        redis.publish(broker_prefix, "end")
        commands = []
        for event in heard:
            if broker_prefix in event["command"] and event["client_type"] != "lua":
                commands.append(event["command"].split()[0])
            if event["command"].startswith("PUBLISH"):
                break

    assert commands == ["EVALSHA", "PUBLISH"]


def test_however_many_threads_ask_at_once_few_connections_stay_open(
    redis_url: str, broker_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "_PATIENCE", 60.0)
    limit = RateLimit(redis_url, per_second=40, prefix=broker_prefix)
    with (
        Redis(unix_socket_path=redis_url.removeprefix("redis+socket://")) as redis,
        ThreadPoolExecutor(24) as pool,
    ):
        before = {client["id"] for client in redis.client_list()}
        # Whoever asks now is answered when as many as may have asked.
        redis.client_pause(60_000, all=False)
        asked = [pool.submit(limit.wait, 0) for _ in range(24)]
        until = time.monotonic() + 60
        while len(opened := {client["id"] for client in redis.client_list()} - before) < 4:
            assert time.monotonic() < until
            time.sleep(0.001)
        redis.client_unpause()
        pauses = [one.result(60) for one in asked]
        opened = {client["id"] for client in redis.client_list()} - before

    assert pauses == [None] * 24
    assert len(opened) == 4


@pytest.mark.parametrize("per_second", [0, -1, 0.001])
def test_a_rate_of_nothing_is_told_at_once(per_second: float) -> None:
    with pytest.raises(ValueError, match="at least one call a minute"):
        RateLimit(None, per_second=per_second)


def test_celerys_form_of_a_socket_names_a_database(redis_url: str, broker_prefix: str) -> None:
    limit = RateLimit(f"{redis_url}?virtual_host=3", prefix=broker_prefix)

    limit.hush(30)

    with Redis(unix_socket_path=redis_url.removeprefix("redis+socket://"), db=3) as redis:
        assert redis.keys(f"{broker_prefix}*") == [f"{broker_prefix}lettrlabs:quiet".encode()]
