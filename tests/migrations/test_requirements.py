"""Databases that cannot hold the tables: `mailrun migrate` says so in one sentence, before it changes anything."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

import migrations
from console.explanations import explain
from console.local.roles import APPLICATION, OWNER


@pytest.fixture
def new_database(postgres: Any) -> Iterator[Callable[[str], str]]:
    """Yield a function that creates a database with options, and returns its name."""
    names: list[str] = []

    def create(options: str) -> str:
        names.append(f"unfit_{os.urandom(8).hex()}")
        with postgres.connect() as connection:
            connection.execute(f"CREATE DATABASE {names[-1]} {options}")
        return names[-1]

    yield create
    for name in names:
        with postgres.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def refusal(url: str) -> str:
    with pytest.raises(migrations.UnfitDatabaseError) as refused:
        migrations.upgrade(url)
    sentence = explain(refused.value)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_an_encoding_that_cannot_store_every_name(
    postgres: Any, new_database: Callable[[str], str], encoding: str
) -> None:
    name = new_database(
        f"OWNER {OWNER} ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
    )

    assert f"is encoded in {encoding}" in refusal(postgres.owner_url(name))


def test_a_role_that_may_not_create_tables(postgres: Any, new_database: Callable[[str], str]) -> None:
    name = new_database(f"OWNER {OWNER}")

    assert f'GRANT CREATE ON SCHEMA "public" TO "{APPLICATION}"' in refusal(postgres.url(name))


def test_a_database_without_the_schema(postgres: Any, new_database: Callable[[str], str]) -> None:
    name = new_database(f"OWNER {OWNER}")
    with postgres.connect(name) as connection:
        connection.execute("DROP SCHEMA public")

    assert "has none of the schemas in search_path" in refusal(postgres.owner_url(name))


def test_a_database_that_is_read_only(postgres: Any, new_database: Callable[[str], str]) -> None:
    name = new_database(f"OWNER {OWNER}")
    with postgres.connect() as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    assert "is read-only" in refusal(postgres.owner_url(name))


def test_one_role_is_enough(postgres: Any, new_database: Callable[[str], str]) -> None:
    url = postgres.owner_url(new_database(f"OWNER {OWNER}"))

    migrations.upgrade(url, application_url=url)

    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO suppression_list (name) VALUES ('one role')"))
    engine.dispose()


def test_the_applications_role_works_in_every_table_of_today_and_of_later_and_changes_none(
    postgres: Any, new_database: Callable[[str], str]
) -> None:
    name = new_database(f"OWNER {OWNER}")
    migrations.upgrade(postgres.owner_url(name), application_url=postgres.url(name))
    with postgres.connect(name, role=OWNER) as owner:
        owner.execute("CREATE TABLE later (id int GENERATED ALWAYS AS IDENTITY, word text)")
        owner.execute("CREATE SEQUENCE later_number")
        owner.execute("CREATE FUNCTION later_function() RETURNS int LANGUAGE sql AS 'SELECT 1'")

    with postgres.connect(name, role=APPLICATION) as application:
        with application.cursor().copy("COPY later (word) FROM STDIN") as rows:
            rows.write_row(["one"])
        application.execute("UPDATE later SET word = 'two'; DELETE FROM later; SELECT pg_advisory_lock(1)")
        application.execute("LISTEN later; NOTIFY later; SELECT nextval('later_number'), later_function()")
        application.execute("SELECT * FROM alembic_version")
        for forbidden in (
            "DROP TABLE later",
            "TRUNCATE later",
            "CREATE TABLE own (id int)",
            "UPDATE alembic_version SET version_num = '0001'",
            f"SET ROLE {OWNER}",
            f"ALTER ROLE {APPLICATION} SUPERUSER",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                application.execute(forbidden)


def test_a_missing_right_is_told_in_one_sentence(postgres: Any, new_database: Callable[[str], str]) -> None:
    name = new_database(f"OWNER {OWNER}")
    migrations.upgrade(postgres.owner_url(name))
    engine = create_engine(postgres.url(name))
    with pytest.raises(ProgrammingError) as refused, engine.connect() as connection:
        connection.execute(text("SELECT * FROM mailing"))
    engine.dispose()

    assert "run `mailrun migrate` with MIGRATION_DATABASE_URL" in explain(refused.value)
