"""The instants at which something may befall a worker: both sides of every commit and of every vendor call.

They are found where they happen, in the engine's dialect and in the client's transport, so that none can be
forgotten. Only threads that carry a Course pass them; everybody else commits and calls as ever.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from time import monotonic
from typing import Any, Final

import psycopg
from sqlalchemy import Engine

from lettrlabs import LettrLabs
from lettrlabs.transport import NoResponse, Reply

_LONG_ENOUGH: Final = 10.0


class Killed(BaseException):
    """The worker dies here, as by SIGKILL. Not an Exception: nothing may catch it."""


class CrashKind(StrEnum):
    """What can befall a worker at a boundary."""

    DIES = "dies"
    FREEZES = "freezes"
    LOSES_DATABASE = "loses the database"
    FINDS_NO_CONNECTION = "finds no connection"
    REQUEST_LINGERS = "request lingers in the network"


@dataclass(frozen=True)
class Crash:
    """A fate, and the boundary it comes at: the one after `skip` others of its kind, or of that name."""

    fate: CrashKind
    skip: int = 0
    on: str | None = None

    def fits(self, boundary: str) -> bool:
        if self.on is not None and boundary != self.on:
            return False
        match self.fate:
            case CrashKind.LOSES_DATABASE:
                return boundary.endswith("commit")
            case CrashKind.FINDS_NO_CONNECTION:
                return boundary.startswith("before ") and not boundary.endswith("commit")
            case CrashKind.REQUEST_LINGERS:
                return (
                    boundary.startswith("before ")
                    and not boundary.endswith(("commit",))
                    and "GET" not in boundary
                )
            case _:
                return True


@dataclass
class CrashSchedule:
    """The way of one delivery past its boundaries, and what befalls it there."""

    strike: Crash | None = None
    passed: list[str] = field(default_factory=list)
    struck: str | None = None
    dead: bool = False
    wrote_nothing: bool = True
    backend: int | None = None
    lost_database: bool = False
    at_rest: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    _fitting: int = 0

    def meets(self, boundary: str) -> CrashKind | None:
        """Pass a boundary: die or freeze there, or return the fate that the caller must act out."""
        if self.dead:
            self.passed.append(f"{boundary}, although dead")
            raise Killed
        self.passed.append(boundary)
        if self.strike is None or self.struck or not self.strike.fits(boundary):
            return None
        self._fitting += 1
        if self._fitting <= self.strike.skip:
            return None
        self.struck = boundary
        fate = self.strike.fate
        if fate is CrashKind.DIES:
            self.dead = True
            raise Killed
        if fate is CrashKind.FREEZES:
            self._freeze()
        return fate

    def _freeze(self) -> None:
        self.let_go.clear()
        self.at_rest.set()
        if not self.let_go.wait(_LONG_ENOUGH * 60):
            raise Killed


@dataclass(frozen=True)
class DelayedRequest:
    """A write that its sender has given up on and that has not arrived yet."""

    method: str
    target: str
    body: bytes | None
    sent_at: datetime


_here = threading.local()


def on_course(course: CrashSchedule, act: Callable[[], Any]) -> Any:
    """Do something under a course; only this thread passes its boundaries."""
    _here.course = course
    try:
        return act()
    finally:
        _here.course = None


def _course() -> CrashSchedule | None:
    return getattr(_here, "course", None)


def watch_commits(engine: Engine) -> None:
    """Make both sides of this engine's commits boundaries, and the end of each read."""
    real = engine.dialect.do_commit

    def commit(connection: Any) -> None:
        course = _course()
        if course is None:
            real(connection)
            return
        course.backend = connection.driver_connection.info.backend_pid
        _act_out(course, course.meets("before commit"), connection)
        real(connection)
        course.backend = None
        _act_out(course, course.meets("after commit"), connection)

    undo = engine.dialect.do_rollback

    def end_read(connection: Any) -> None:
        undo(connection)
        course = _course()
        if course is not None and not course.dead:
            course.backend = None
            course.meets("after read")

    engine.dialect.do_commit = commit  # type: ignore[method-assign]
    engine.dialect.do_rollback = end_read  # type: ignore[method-assign]


def _act_out(course: CrashSchedule, fate: CrashKind | None, connection: Any) -> None:
    if fate is CrashKind.LOSES_DATABASE:
        course.lost_database = True
        connection.driver_connection.close()
        raise psycopg.OperationalError("the connection is lost")


class Network:
    """What lies between the client and the vendor: both sides of each call, and writes that have not arrived."""

    def __init__(self, vendor: LettrLabs, clock: Callable[[], datetime]) -> None:
        self._transport = vendor._calls.transport
        self._real = self._transport.exchange
        self._clock = clock
        self.lingering: list[DelayedRequest] = []
        self._transport.exchange = self._exchange  # type: ignore[method-assign]

    def arrive(self, request: DelayedRequest) -> None:
        """Let a write reach the vendor that nobody waits for any more."""
        self.lingering.remove(request)
        self._real(request.method, request.target, request.body, monotonic() + _LONG_ENOUGH)

    def _exchange(self, method: str, target: str, body: bytes | None, due: float) -> Reply | NoResponse:
        course = _course()
        if course is None:
            return self._real(method, target, body, due)
        if method != "GET":
            course.wrote_nothing = False
        name, since = f"{method} {_shape(target)}", self._clock()
        fate = course.meets(f"before {name}")
        if fate is CrashKind.FINDS_NO_CONNECTION:
            return NoResponse(sent=False, why="no connection")
        if fate is CrashKind.REQUEST_LINGERS:
            self.lingering.append(DelayedRequest(method, target, body, self._clock()))
            return NoResponse(sent=True, why="no answer in time")
        # Who was frozen finds that the call's own deadline has passed.
        frozen = (self._clock() - since).total_seconds()
        reply = self._real(method, target, body, due - frozen)
        course.meets(f"after {name}")
        return reply


def _shape(target: str) -> str:
    path = target.partition("?")[0].removeprefix("/v1/")
    return re.sub(r"\d+", "#", path)
