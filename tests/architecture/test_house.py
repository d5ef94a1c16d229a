"""The rules of the house, held against every file of it."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from worker.billing.reconciliation import CHARGE_DIFFERS
from worker.scheduling.schedule import ScheduleProblem

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("console", "intake", "lettrlabs", "models", "sandbox", "worker")
MOVES: Final = ROOT / "worker" / "transitions"
LONGEST: Final = 400
# Whoever may write one of these could move a mailing without its claim.
PROTECTED: Final = {
    *("stage", "state", "claim", "lease_until", "not_before", "wake_at", "recovering", "unsure_since"),
    *("attempts", "cancel_requested", "order_id", "approved_at"),
}
_UPDATES: Final = re.compile(
    r"UPDATE\s+mailing\b(?:\s+AS\s+\w+)?\s+SET\s+(.*?)(?=\bWHERE\b|\bFROM\b|$)", re.DOTALL
)
_ASSIGNED: Final = re.compile(r"(?:^|,)\s*(\w+)\s*=", re.MULTILINE)
_ASKS: Final = re.compile(r'(?:NeedsReview|_ask)\(\s*"([a-z_]+)"')
_INSERTS: Final = re.compile(r"(?:INSERT\s+INTO|COPY|DELETE\s+FROM|TRUNCATE)\s+mailing\b", re.IGNORECASE)


def sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - whichever git there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def writes(tree: ast.AST) -> Iterator[str]:
    """Tell each place in a module that writes a column of a mailing which only a move may write."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            target = ast.unparse(node.args[0])
            if node.func.id in {"update", "insert", "delete"} and target.startswith("Mailing"):
                yield f"line {node.lineno}: {node.func.id}({target})"
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _INSERTS.search(node.value):
                yield f"line {node.lineno}: {_INSERTS.findall(node.value)}"
            for assigned in _UPDATES.findall(node.value):
                if set(_ASSIGNED.findall(assigned)) & PROTECTED:
                    yield f"line {node.lineno}: UPDATE mailing SET {assigned.strip()}"  # noqa: S608 - only told


def test_only_the_moves_write_what_a_claim_protects() -> None:
    found = {
        f"{path.relative_to(ROOT)} {place}"
        for path in sources()
        if MOVES not in path.parents
        for place in writes(ast.parse(path.read_text()))
    }

    assert found == set()


def test_the_search_for_writes_finds_those_of_the_moves() -> None:
    found = [place for path in MOVES.glob("*.py") for place in writes(ast.parse(path.read_text()))]

    assert any("update(Mailing)" in place for place in found)
    assert any("insert(Mailing)" in place for place in found)
    assert any("UPDATE mailing SET state" in place for place in found)


def test_every_statement_of_the_moves_that_writes_a_mailing_names_its_row() -> None:
    """What is set by id alone, or by nothing, is caught by the tables of operations; this finds a forgotten WHERE."""
    for path in MOVES.glob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            written = isinstance(node, ast.Expr | ast.Assign | ast.Return) and ast.unparse(node)
            if written and "update(Mailing)" in written:
                assert ".where(" in written, f"{path.name} line {node.lineno}"


def test_no_file_is_longer_than_a_room() -> None:
    lengths = {
        path.relative_to(ROOT): len(path.read_text().splitlines())
        for path in tracked()
        if path.suffix == ".py" and "versions" not in path.parts
    }

    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def test_nothing_names_a_package_index_or_records_where_a_package_came_from() -> None:
    hosts = re.compile("|".join(("py" + r"pi\.org", "python" + "hosted", "--(?:extra-)?index" + "-url")))
    named = [
        path.relative_to(ROOT)
        for path in tracked()
        if path.suffix not in {".png", ".pdf", ".ico"} and hosts.search(path.read_text(errors="replace"))
    ]

    assert named == []
    assert not [
        path for path in tracked() if path.name in {"uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock"}
    ]


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc", "manager"])
def test_no_file_is_named_for_nothing(name: str) -> None:
    assert [path for path in sources() if name in path.stem] == []


def test_a_module_says_what_it_is_for() -> None:
    assert [
        path.relative_to(ROOT) for path in sources() if not ast.get_docstring(ast.parse(path.read_text()))
    ] == []


def test_every_reason_that_needs_a_person_is_told_in_operations_with_what_can_be_done() -> None:
    """`attention list` shows the reason's name, and that page is where it is looked up."""
    code = "".join(path.read_text() for path in (ROOT / "worker").rglob("*.py"))
    told = (ROOT / "docs" / "operations.md").read_text()

    reasons = {*_ASKS.findall(code), *ScheduleProblem, CHARGE_DIFFERS}

    assert len(reasons) > 10
    assert {reason for reason in reasons if f"`{reason}`" not in told} == set()
