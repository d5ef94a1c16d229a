"""What the models' tests stand on: a migrated database in which nothing stays."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine


@pytest.fixture(scope="session")
def models_engine(postgres: Any) -> Iterator[Engine]:
    name = f"models_{os.urandom(8).hex()}"
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE migrated STRATEGY FILE_COPY")
    with postgres.connect() as connection:
        connection.execute(statement.format(sql.Identifier(name)))
    engine = create_engine(postgres.url(name))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(models_engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction of which nothing stays."""
    with models_engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()
