"""The migrations: run twice, by two at once, down and up again, and in agreement with the models."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import OperationalError

import migrations
from console.local.roles import OWNER
from models import Base


@pytest.fixture
def empty_url(postgres: Any) -> Iterator[str]:
    """Yield the address of a database that no migration has seen."""
    name = sql.Identifier(f"empty_{os.urandom(8).hex()}")
    with postgres.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, sql.Identifier(OWNER)))
    yield postgres.owner_url(name.as_string().strip('"'))
    with postgres.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def revisions(url: str) -> list[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = list(connection.scalars(text("SELECT version_num FROM alembic_version")))
    engine.dispose()
    return found


def newest() -> str | None:
    return ScriptDirectory.from_config(migrations.config("")).get_current_head()


def test_an_upgrade_makes_every_table_and_a_second_one_nothing(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    migrations.upgrade(empty_url)

    assert tables(empty_url) == {*Base.metadata.tables, "alembic_version"}
    assert revisions(empty_url) == [newest()]


def test_two_upgrades_at_once_take_turns(empty_url: str) -> None:
    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(upgrade_alone, empty_url) for _ in range(2)]:
            done.result()

    assert revisions(empty_url) == [newest()]


def upgrade_alone(url: str) -> None:
    """Upgrade in a process of its own, as a second container would."""
    program = "import sys, migrations; migrations.upgrade(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, url], check=True, capture_output=True)


def test_the_migrations_and_the_models_agree(empty_url: str) -> None:
    migrations.upgrade(empty_url)

    command.check(migrations.config(empty_url))


def test_what_goes_up_comes_down_and_up_again(empty_url: str) -> None:
    migrations.upgrade(empty_url)

    command.downgrade(migrations.config(empty_url), "base")
    assert tables(empty_url) == {"alembic_version"}
    migrations.upgrade(empty_url)

    command.check(migrations.config(empty_url))


def test_revisions_follow_one_another_in_one_line() -> None:
    script = ScriptDirectory.from_config(migrations.config(""))

    assert len(script.get_heads()) == len(script.get_bases()) == 1
    numbers = [revision.revision for revision in script.walk_revisions()]
    assert numbers == sorted(numbers, reverse=True)


def test_a_migration_gives_up_on_a_lock_rather_than_stop_the_work(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    # Before a revision that alters a table under way; one that only makes a table waits for no lock.
    command.downgrade(migrations.config(empty_url), "0005")
    before = revisions(empty_url)
    engine = create_engine(empty_url)
    with engine.connect() as worker:
        # A long transaction, such as somebody's forgotten session, that writes to every table.
        for table in tables(empty_url):
            worker.execute(text(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            migrations.upgrade(empty_url)
        worker.rollback()
    engine.dispose()

    assert revisions(empty_url) == before
    migrations.upgrade(empty_url)
    assert revisions(empty_url) == [newest()]


_FILL_MONEY = """
    INSERT INTO mailing (key, request_digest, priority, not_before, wake_at, template_id, postage, speed, auto_bill,
                         approval, size)
    SELECT 'mailing ' || n, 'digest', 5, now(), now(), 1001, 'Standard', 'Normal', true, 'auto', 1
      FROM generate_series(1, 2) AS n;
    INSERT INTO charge (mailing_id, vendor_id, amount, is_credit)
    SELECT id, 1, 11.78, false FROM mailing;
    INSERT INTO charge (mailing_id, vendor_id, amount, is_credit)
    SELECT min(id), NULL, NULL, false FROM mailing;
    INSERT INTO quote (mailing_id, postage, speed, total, options, taken_at)
    SELECT min(id), 'Standard', 'Normal', 11.78, '{}', now() FROM mailing;
"""


def test_money_of_two_orders_goes_down_and_up_again_without_losing_a_charge(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(_FILL_MONEY)

    command.downgrade(migrations.config(empty_url), "0006")
    migrations.upgrade(empty_url)

    with engine.connect() as connection:
        charges = list(connection.scalars(text("SELECT amount FROM charge ORDER BY id")))
    engine.dispose()
    assert [str(amount) for amount in charges] == ["11.7800", "11.7800", "0.0000"]
