"""Group commit: what several threads come to while one commits is in the next commit, and each hears of its own."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from worker import group_commit
from worker.group_commit import BatchCommitError, CommitTerms, GroupCommitter


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_TIMEOUT", 60.0)


class Books:
    """Commits that are written down, the first of which takes until everybody else waits."""

    def __init__(self, waiting: int) -> None:
        self.commits = GroupCommitter[str, str]()
        self.written: list[list[str]] = []
        self.kinds: list[CommitTerms] = []
        self._begun = Event()
        self._waiting = waiting

    def write(self, shares: Sequence[str], terms: CommitTerms) -> Mapping[int, str]:
        self.written.append(list(shares))
        self.kinds.append(terms)
        if len(self.written) == 1:
            self._begun.set()
            until = time.monotonic() + 60
            while len(self.commits._waiting) < self._waiting:
                assert time.monotonic() < until
                time.sleep(0.001)
        if "bad" in shares:
            raise ValueError("bad")
        return dict(enumerate(shares))

    def bring(self, *brought: tuple[Mapping[int, str], bool]) -> list[Future[Mapping[int, str]]]:
        """Begin a commit, and have all these come while it is under way."""
        with ThreadPoolExecutor(len(brought) + 1) as threads:
            threads.submit(self.commits.commit, {0: "first"}, self.write, ahead=True)
            assert self._begun.wait(10)
            return [
                threads.submit(self.commits.commit, shares, self.write, ahead=ahead)
                for shares, ahead in brought
            ]


def test_one_alone_is_committed_at_once() -> None:
    books = Books(0)

    assert books.commits.commit({7: "one"}, books.write, ahead=True) == {0: "one"}

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
        with pytest.raises(BatchCommitError) as told:
            one.result()
        assert isinstance(told.value.why, ValueError)
    assert books.commits.commit({5: "later"}, books.write, ahead=True) == {0: "later"}


def test_a_commit_of_nobody_else_that_fails_says_itself_why() -> None:
    books = Books(0)

    with pytest.raises(ValueError, match="bad"):
        books.commits.commit({1: "bad"}, books.write, ahead=True)


def test_a_commit_knows_whether_it_is_of_several_threads() -> None:
    books = Books(2)

    books.bring(({1: "a"}, True), ({2: "b"}, True))

    assert books.kinds == [CommitTerms(ahead=True), CommitTerms(ahead=True, shared=True)]


def test_nobody_waits_long_behind_a_commit_that_waits_for_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "COMMIT_TIMEOUT", 0.05)
    commits, lock, stuck = GroupCommitter[str, str](), Event(), Event()

    def wait_for_the_lock(shares: Sequence[str], _: CommitTerms) -> Mapping[int, str]:
        stuck.set()
        assert lock.wait(60)
        return dict(enumerate(shares))

    def at_once(shares: Sequence[str], _: CommitTerms) -> Mapping[int, str]:
        return dict(enumerate(shares))

    with ThreadPoolExecutor(1) as threads:
        held_up = threads.submit(commits.commit, {1: "held up"}, wait_for_the_lock, ahead=True)
        assert stuck.wait(60)
        assert commits.commit({2: "next"}, at_once, ahead=True) == {0: "next"}
        assert not held_up.done()
        lock.set()
        assert held_up.result(60) == {0: "held up"}
