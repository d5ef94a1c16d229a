"""Group commit: one thread commits at a time, and what others come to meanwhile is in the next commit.

It waits for nobody: alone, a commit begins at once. The busier a worker is, the more share one.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Generic, TypeVar

# A commit that takes longer waits for somebody's lock: those who came after it need not wait as well.
_PATIENCE_SECONDS: Final = 0.5

Share = TypeVar("Share")
Told = TypeVar("Told")


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Share, Told]):
    shares: Mapping[int, Share]
    alike: bool
    outcome: Future[Mapping[int, Told]] = field(default_factory=Future)


class GroupCommit(Generic[Share, Told]):
    """The commits of a process, each of what several threads brought. Thread-safe."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting[Share, Told]] = []
        self._door = Lock()
        self._turn = Lock()

    def commit(
        self,
        shares: Mapping[int, Share],
        how: Callable[[Sequence[Share], bool], Mapping[int, Told]],
        *,
        alike: bool,
    ) -> Mapping[int, Told]:
        """Have `how` commit these shares, maybe with those of others, and return what it told of them all.

        Raises what `how` raised, in each whose shares it had. Only those that are `alike` are committed together, and
        never two shares of one number: they would be taken for each other.
        """
        mine = _Waiting[Share, Told](shares, alike)
        with self._door:
            self._waiting.append(mine)
        is_my_turn = self._turn.acquire(timeout=_PATIENCE_SECONDS)
        try:
            self._commit(self._group_of(mine), how)
        finally:
            if is_my_turn:
                self._turn.release()
        return mine.outcome.result()

    def _group_of(self, mine: _Waiting[Share, Told]) -> list[_Waiting[Share, Told]]:
        """Return those who are to be committed with one of them; nobody, if that one was taken along already."""
        with self._door:
            if mine not in self._waiting:
                return []
            group, numbers = [mine], set(mine.shares)
            for one in self._waiting:
                if one.alike == mine.alike and numbers.isdisjoint(one.shares):
                    group.append(one)
                    numbers |= one.shares.keys()
            self._waiting = [one for one in self._waiting if one not in group]
        return group

    @staticmethod
    def _commit(
        group: Sequence[_Waiting[Share, Told]], how: Callable[[Sequence[Share], bool], Mapping[int, Told]]
    ) -> None:
        if not group:
            return
        try:
            told = how([share for one in group for share in one.shares.values()], group[0].alike)
        except BaseException as error:  # noqa: BLE001 - each hears of it from its own outcome
            for one in group:
                one.outcome.set_exception(error)
        else:
            for one in group:
                one.outcome.set_result(told)
