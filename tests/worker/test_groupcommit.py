"""Group commit: what several threads come to while one commits is in the next commit, and each hears of its own."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from worker import groupcommit
from worker.groupcommit import GroupCommit


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groupcommit, "_PATIENCE_SECONDS", 60.0)


class Books:
    """Commits that are written down, the first of which takes until everybody else waits."""

    def __init__(self, waiting: int) -> None:
        self.commits = GroupCommit[str, str]()
        self.written: list[list[str]] = []
        self._begun = Event()
        self._waiting = waiting

    def write(self, shares: Sequence[str], _alike: bool) -> Mapping[int, str]:
        self.written.append(list(shares))
        if len(self.written) == 1:
            self._begun.set()
            while len(self.commits._waiting) < self._waiting:
                pass
        if "bad" in shares:
            raise ValueError("bad")
        return dict(enumerate(shares))

    def bring(self, *brought: tuple[Mapping[int, str], bool]) -> list[Future[Mapping[int, str]]]:
        """Begin a commit, and have all these come while it is under way."""
        with ThreadPoolExecutor(len(brought) + 1) as threads:
            threads.submit(self.commits.commit, {0: "first"}, self.write, alike=True)
            assert self._begun.wait(10)
            return [
                threads.submit(self.commits.commit, shares, self.write, alike=alike)
                for shares, alike in brought
            ]


def test_one_alone_is_committed_at_once() -> None:
    books = Books(0)

    assert books.commits.commit({7: "one"}, books.write, alike=True) == {0: "one"}

    assert books.written == [["one"]]


def test_those_who_come_during_a_commit_share_the_next() -> None:
    books = Books(3)

    told = books.bring(({1: "a"}, True), ({2: "b", 3: "c"}, True), ({4: "d"}, True))

    first, *rest = books.written
    assert first == ["first"]
    assert [sorted(one) for one in rest] == [["a", "b", "c", "d"]]
    assert [sorted(one.result().values()) for one in told] == [["a", "b", "c", "d"]] * 3


def test_what_is_not_alike_is_committed_apart() -> None:
    books = Books(3)

    books.bring(({1: "a"}, True), ({2: "b"}, False), ({3: "c"}, True))

    assert sorted(sorted(one) for one in books.written) == [["a", "c"], ["b"], ["first"]]


def test_two_shares_of_one_number_are_never_in_one_commit() -> None:
    books = Books(2)

    books.bring(({1: "old", 2: "b"}, True), ({1: "new"}, True))

    assert sorted(sorted(one) for one in books.written) == [["b", "old"], ["first"], ["new"]]


def test_a_commit_that_fails_is_told_to_each_who_had_a_share_and_to_nobody_else() -> None:
    books = Books(3)

    good, bad, other = books.bring(({1: "a"}, True), ({2: "bad"}, True), ({3: "c"}, False))

    assert other.result() == {0: "c"}
    for one in (good, bad):
        with pytest.raises(ValueError, match="bad"):
            one.result()
    assert books.commits.commit({5: "later"}, books.write, alike=True) == {0: "later"}
