"""What is done to the contenders while they work, by the clock and one seed: the same to all of them."""

import heapq
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random

from redis.exceptions import RedisError

from bench.chaos.contenders import LEASE_SECONDS, Candidate
from bench.environment import Servers
from bench.processes import Process, ProcessGroup

_LOOK_SECONDS = 0.1
_AT_WORK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """When which blow falls, in seconds from the start or as parts of ``seconds``, the length of the storm."""

    seconds: float
    kill_every: tuple[float, float]
    hold_every: float
    broker_outages: tuple[tuple[float, float], ...]
    broker_emptied: tuple[float, ...]
    database_restarts: tuple[float, ...]


def full(seconds: float) -> Plan:
    """Return the storm of `make chaos`."""
    outages = ((0.1, 0.3), (0.25, 5.0), (0.45, 60.0))
    return Plan(seconds, (3.0, 8.0), 60.0, outages, (0.35, 0.8), (0.2, 0.7, 0.9))


def quick(seconds: float) -> Plan:
    """Return a storm of the same kinds, short enough for a test."""
    return Plan(seconds, (2.0, 4.0), seconds, ((0.2, 0.3), (0.35, 5.0)), (0.85,), (0.7,))


@dataclass
class FaultSchedule:
    """A plan being carried out."""

    plan: Plan
    servers: Servers
    contenders: Sequence[Candidate]
    dice: Random
    done: Counter[str] = field(default_factory=Counter)
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _began: float = 0.0
    _numbers: Iterator[int] = field(default_factory=count)

    def begin(self) -> None:
        """Set the clock."""
        self._began = time.monotonic()
        plan = self.plan
        self._at(plan.kill_every[0], self._kill)
        self._at(plan.hold_every * 0.4, self._hold)
        for part, seconds in plan.broker_outages:
            self._at(part * plan.seconds, partial(self._stop_broker, seconds))
        for part in plan.broker_emptied:
            self._at(part * plan.seconds, self._empty_broker)
        for part in plan.database_restarts:
            self._at(part * plan.seconds, self._restart_database)

    def blow(self) -> None:
        """Let fall whatever is due."""
        while self._due and self._due[0][0] <= self.elapsed:
            heapq.heappop(self._due)[2]()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    @property
    def over(self) -> bool:
        """Whether the last blow has fallen and all that was stopped goes on."""
        return not self._due

    def _at(self, seconds: float, deed: Callable[[], None]) -> None:
        heapq.heappush(self._due, (seconds, next(self._numbers), deed))

    def _again(self, seconds: float, deed: Callable[[], None]) -> None:
        if self.elapsed + seconds < self.plan.seconds:
            self._at(self.elapsed + seconds, deed)

    def _kill(self) -> None:
        which = self.dice.randrange(2)
        for contender in self.contenders:
            self.done["kills of a worker"] += _kill_one_at_work(contender, which)
        if self.dice.random() < 0.2:  # noqa: PLR2004 - now and then a beat goes, too
            for helper in (
                one for contender in self.contenders for one in contender.helpers[which : which + 1]
            ):
                self.done["kills of a beat"] += helper.kill()
        self._again(self.dice.uniform(*self.plan.kill_every), self._kill)

    def _hold(self) -> None:
        which = self.dice.randrange(2)
        claimed = [contender.workers[which] for contender in self.contenders]
        seconds = LEASE_SECONDS + self.dice.uniform(1, 8)
        stopped = [worker for worker in claimed if worker.hold()]
        self.done["workers stopped past the lease"] += len(stopped)
        self._at(self.elapsed + seconds, lambda: _let_go(stopped))
        self._again(self.plan.hold_every, self._hold)

    def _stop_broker(self, seconds: float) -> None:
        self.servers.valkey.stop()
        self.done[f"broker away for {seconds:g} s"] += 1
        self._at(self.elapsed + seconds, self.servers.valkey.ensure_running)

    def _empty_broker(self) -> None:
        # An outage may be under way: then there is nothing to empty.
        with suppress(RedisError), self.servers.redis() as redis:
            redis.flushall()
            self.done["broker emptied"] += 1

    def _restart_database(self) -> None:
        self.servers.postgres.stop()
        self.servers.postgres.ensure_running()
        self.done["PostgreSQL restarted"] += 1


def _kill_one_at_work(contender: Candidate, which: int) -> bool:
    """Kill a worker that got to work; one that is still starting would only be kept from starting."""
    for worker in (contender.workers[which], contender.workers[1 - which]):
        if worker.at_work_for() >= _AT_WORK_SECONDS:
            return worker.kill()
    return False


def _let_go(stopped: Sequence[Process]) -> None:
    for worker in stopped:
        worker.let_go()


@dataclass
class RunEnd:
    """When each contender was seen to have nothing left to do, in seconds from the start."""

    calm_seconds: float = 5.0
    _idle_since: dict[str, float] = field(default_factory=dict)

    def look(self, contenders: Sequence[Candidate], elapsed: float) -> bool:
        """Look once; whether all have been idle for long enough to believe it."""
        for contender in contenders:
            if not contender.idle:
                self._idle_since.pop(contender.key, None)
            else:
                self._idle_since.setdefault(contender.key, elapsed)
        return len(self._idle_since) == len(contenders) and all(
            elapsed - since >= self.calm_seconds for since in self._idle_since.values()
        )

    def seconds(self, contender: Candidate) -> float | None:
        """Return when it finished, or None if it did not."""
        return self._idle_since.get(contender.key)


def ride_out(storm: FaultSchedule, troop: ProcessGroup, longest: float) -> RunEnd:
    """Let the storm pass over the contenders; returns when all are done, or after the longest time allowed."""
    finish = RunEnd()
    storm.begin()
    looked = 0.0
    while storm.elapsed < longest:
        storm.blow()
        troop.tend()
        if storm.elapsed - looked >= 1.0:
            looked = storm.elapsed
            for worker in (one for contender in storm.contenders for one in contender.workers):
                worker.at_work_for()
            if finish.look(storm.contenders, storm.elapsed) and storm.over:
                break
        time.sleep(_LOOK_SECONDS)
    return finish
