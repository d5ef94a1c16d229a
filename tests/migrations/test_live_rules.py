"""New migrations run beside live work: nothing in them holds a table while PostgreSQL reads all of it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

VERSIONS: Final = Path(__file__).parents[2] / "migrations" / "versions"
# Before the first release no installation has millions of rows.
LAST_FREE: Final = "0013"
# The option without which the operation reads, or blocks, a whole table under its lock.
REQUIRED: Final = {
    "create_index": "postgresql_concurrently",
    "drop_index": "postgresql_concurrently",
    "create_check_constraint": "postgresql_not_valid",
    "create_foreign_key": "postgresql_not_valid",
}
# Each takes ACCESS EXCLUSIVE for as long as it reads or rewrites the table.
FORBIDDEN: Final = {
    "create_unique_constraint": "create the index concurrently, then ADD CONSTRAINT ... USING INDEX",
    "create_exclude_constraint": "make the constraint with its table",
}


def upgrade_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name != "downgrade":
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("op."):
                    yield node


def violations(source: str) -> list[str]:
    """Return what in a migration would make live work wait, unless it is done to a table of the same migration."""
    calls = list(upgrade_calls(ast.parse(source)))
    own = {ast.literal_eval(call.args[0]) for call in calls if name(call) == "create_table"}
    return [
        f"line {call.lineno}: {problem}"
        for call in calls
        if (problem := trouble(call)) and not own & literals(call)
    ]


def trouble(call: ast.Call) -> str | None:
    option = REQUIRED.get(name(call))
    given = {word.arg: ast.unparse(word.value) for word in call.keywords}
    if option and given.get(option) != "True":
        return f"{name(call)} needs {option}=True"
    if name(call) in FORBIDDEN:
        return f"{name(call)}: {FORBIDDEN[name(call)]}"
    if name(call) == "alter_column" and (given.get("nullable") == "False" or "type_" in given):
        return (
            "alter_column: add a check NOT VALID, validate it, then SET NOT NULL; a new type is a new column"
        )
    return None


def name(call: ast.Call) -> str:
    return ast.unparse(call.func).removeprefix("op.")


def literals(call: ast.Call) -> set[str]:
    return {one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def test_new_migrations_hold_no_table_while_they_read_it() -> None:
    found = {
        path.name: broken
        for path in VERSIONS.glob("*.py")
        if path.name[:4] > LAST_FREE and (broken := violations(path.read_text()))
    }

    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        'op.create_index("ix", "recipient", ["a"])',
        'op.create_check_constraint("ck", "recipient", "a > 0")',
        'op.create_foreign_key("fk", "recipient", "mailing", ["a"], ["id"], postgresql_not_valid=False)',
        'op.create_unique_constraint("uq", "recipient", ["a"])',
        'op.alter_column("recipient", "a", nullable=False)',
        'op.alter_column("recipient", "a", type_=sa.Text())',
    ],
)
def test_what_would_make_live_work_wait_is_found(line: str) -> None:
    assert violations(f"def upgrade():\n    {line}\n") != []


@pytest.mark.parametrize(
    "lines",
    [
        'op.create_index("ix", "recipient", ["a"], postgresql_concurrently=True)',
        'op.create_check_constraint("ck", "recipient", "a > 0", postgresql_not_valid=True)',
        'op.create_table("fresh")\n    op.create_index("ix", "fresh", ["a"])',
        'op.add_column("recipient", sa.Column("a", sa.Text(), nullable=True))',
    ],
)
def test_what_live_work_does_not_notice_is_let_through(lines: str) -> None:
    assert violations(f"def upgrade():\n    {lines}\n") == []
