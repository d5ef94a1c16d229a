"""A downgrade that would destroy what cannot be made again is refused while there is something to destroy."""

import os
from collections.abc import Iterator
from typing import Any, Final

import pytest
from alembic import command
from psycopg import sql
from sqlalchemy import create_engine, text

import migrations
from console.local.roles import OWNER

PRECIOUS = {
    "0001": """INSERT INTO campaign (key, request_digest, name, rows, people, rejected, mailings)
                VALUES ('k', '', 'n', 1, 1, 0, 1)""",
    "0002": """INSERT INTO recurrence (cron, zone, catch_up, if_late, late_after, last_at)
                VALUES ('0 9 * * *', 'UTC', 'all', 'ask', 0, now())""",
    "0003": "INSERT INTO budget (purse, subject, total, set_by, set_at) VALUES ('account', 0, 1, 'ann', now())",
    "0004": "INSERT INTO token (name, sha256, scopes) VALUES ('shop', '', '{}')",
    "0005": """INSERT INTO suppression (digest, list, mark, source, added_by, added_at)
                VALUES ('', 'do-not-mail', 'person', 'letter', 'ann', now())""",
}

# What later revisions added to rows that may stay: how a row gets it, and how an operator would remove it.
ADDED: Final = {
    "0013 token": (
        "INSERT INTO token (name, sha256, scopes, expires_at) VALUES ('a', 'a', '{}', now())",
        "UPDATE token SET expires_at = NULL",
    ),
    "0013 budget": (
        "INSERT INTO budget (purse, subject, total, set_by, set_at) VALUES ('token', 1, 1, 'ann', now())",
        "DELETE FROM budget",
    ),
    "0009 event": (
        """INSERT INTO event (source, event_id, type, digest, body, outcome, reason, received_at)
            VALUES ('shop', '1', 't', '', '{}', 'paid', 'paid', now())""",
        "DELETE FROM event",
    ),
    "0008 installation": (
        "UPDATE installation SET shared_at = now(), shared_why = 'a draft of another program'",
        "UPDATE installation SET shared_at = NULL, shared_why = NULL",
    ),
    "0008 installation, doubted": (
        "UPDATE installation SET doubted_at = now()",
        "UPDATE installation SET doubted_at = NULL",
    ),
    "0006 token": (
        "INSERT INTO token (name, sha256, scopes, owner) VALUES ('b', 'b', '{}', 'shop')",
        "UPDATE token SET owner = NULL",
    ),
}


@pytest.fixture
def url(postgres: Any) -> Iterator[str]:
    """Yield the address of a database that no migration has seen."""
    name = f"down_{os.urandom(8).hex()}"
    with postgres.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    yield postgres.owner_url(name)
    with postgres.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def run(url: str, statement: str) -> list[Any]:
    engine = create_engine(url)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        found = list(result) if result.returns_rows else []
    engine.dispose()
    return found


def test_no_downgrade_destroys_what_cannot_be_made_again(url: str) -> None:
    settings = migrations.config(url)
    for revision, statement in PRECIOUS.items():
        command.upgrade(settings, revision)
        run(url, statement)
    command.upgrade(settings, "head")
    command.downgrade(settings, "0005")

    for revision, statement in reversed(PRECIOUS.items()):
        table = statement.split()[2]
        with pytest.raises(migrations.DowngradeRefusedError, match=f'rows of table "{table}"'):
            command.downgrade(settings, "base" if revision == "0001" else "-1")
        assert run(url, "SELECT version_num FROM alembic_version") == [(revision,)]
        assert len(run(url, f"SELECT FROM {table}")) == 1

        run(url, f"DELETE FROM {table}")  # noqa: S608 - as above
        command.downgrade(settings, "base" if revision == "0001" else "-1")


def test_no_downgrade_loses_what_a_later_version_noted_in_rows_that_stay(url: str) -> None:
    settings = migrations.config(url)
    command.upgrade(settings, "head")

    for case, (note, remove) in ADDED.items():
        revision, table = case.split(",")[0].split()
        command.downgrade(settings, revision)
        run(url, note)
        with pytest.raises(migrations.DowngradeRefusedError, match=f'rows of table "{table}"'):
            command.downgrade(settings, "-1")
        assert run(url, "SELECT version_num FROM alembic_version") == [(revision,)]

        run(url, remove)
    command.downgrade(settings, "0005")
