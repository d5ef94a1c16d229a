"""Group commit: one thread commits at a time, and what others come to meanwhile is in the next commit.

It waits for nobody: alone, a commit begins at once. The busier a worker is, the more share one.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition
from typing import Final, Generic, TypeVar

# A commit that takes longer waits for somebody's lock: whoever comes after it leads the next all the same.
COMMIT_TIMEOUT: Final = 0.5

Share = TypeVar("Share")
Told = TypeVar("Told")


class BatchCommitError(Exception):
    """A commit of several threads' shares failed, nobody knows by whose fault; ``why`` is what it raised."""

    def __init__(self, why: Exception) -> None:
        super().__init__(type(why).__name__)
        self.why = why


@dataclass(frozen=True, slots=True)
class CommitTerms:
    """Whether a commit is of those who go on ``ahead`` or of the others, and whether of several threads."""

    ahead: bool
    shared: bool = False


@dataclass(eq=False, slots=True)
class _WaitingCommit(Generic[Share, Told]):
    shares: Mapping[int, Share]
    ahead: bool
    outcome: Future[Mapping[int, Told]] = field(default_factory=Future)


class GroupCommitter(Generic[Share, Told]):
    """The commits of a process, each of what several threads brought. Thread-safe."""

    def __init__(self) -> None:
        self._waiting: list[_WaitingCommit[Share, Told]] = []
        self._news = Condition()
        self._leader: _WaitingCommit[Share, Told] | None = None

    def commit(
        self,
        shares: Mapping[int, Share],
        how: Callable[[Sequence[Share], CommitTerms], Mapping[int, Told]],
        *,
        ahead: bool,
    ) -> Mapping[int, Told]:
        """Have `how` commit these shares, maybe with those of other threads, and return what it told of them all.

        Only those that go on ahead alike are committed together, and never two shares of one number: they would be
        taken for each other. Raises what `how` raised; SharedCommitError if it had shares of others as well.
        """
        mine = _WaitingCommit[Share, Told](shares, ahead)
        with self._news:
            self._waiting.append(mine)
            self._news.wait_for(
                lambda: self._leader is None or mine not in self._waiting, timeout=COMMIT_TIMEOUT
            )
            group = self._group_of(mine)
            if group:
                self._leader = mine
        if group:
            try:
                self._commit(group, how)
            finally:
                self._end_of(mine)
        return mine.outcome.result()

    def _end_of(self, leader: _WaitingCommit[Share, Told]) -> None:
        with self._news:
            if self._leader is leader:
                self._leader = None
            self._news.notify_all()

    def _group_of(self, mine: _WaitingCommit[Share, Told]) -> list[_WaitingCommit[Share, Told]]:
        """Return those who are to be committed with one of them; nobody, if that one was taken along already."""
        if mine not in self._waiting:
            return []
        group, numbers = [mine], set(mine.shares)
        for one in self._waiting:
            if one.ahead == mine.ahead and numbers.isdisjoint(one.shares):
                group.append(one)
                numbers |= one.shares.keys()
        self._waiting = [one for one in self._waiting if one not in group]
        return group

    @staticmethod
    def _commit(
        group: Sequence[_WaitingCommit[Share, Told]],
        how: Callable[[Sequence[Share], CommitTerms], Mapping[int, Told]],
    ) -> None:
        shared = len(group) > 1
        try:
            told = how(
                [share for one in group for share in one.shares.values()], CommitTerms(group[0].ahead, shared)
            )
        except Exception as error:  # noqa: BLE001 - each hears of it from its own outcome
            for one in group:
                one.outcome.set_exception(BatchCommitError(error) if shared else error)
        except BaseException as ending:
            for one in group:
                one.outcome.set_exception(ending)
            raise
        else:
            for one in group:
                one.outcome.set_result(told)
