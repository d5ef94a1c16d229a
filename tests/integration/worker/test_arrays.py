from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from worker import database

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
AWKWARD = st.sampled_from(['"', "\\", '\\"', "{}", ",", "NULL", "null", "", " ", '{"a": "b\\n"}', "\n", "'"])


def read(engine: Engine, kind: str, array: str) -> Any:
    with engine.connect() as connection:
        return connection.scalar(text(f"SELECT CAST(:array AS {kind}[])"), {"array": array})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.one_of(st.none(), TEXTS, AWKWARD), max_size=6))
def test_postgresql_reads_an_array_of_any_texts_as_it_was_written(
    engine: Engine, values: list[str | None]
) -> None:
    assert read(engine, "text", database.texts(values)) == values


def test_postgresql_reads_an_array_of_numbers_and_days_as_it_was_written(engine: Engine) -> None:
    assert read(engine, "bigint", database.literal([7, None, -(10**12)])) == [7, None, -(10**12)]
    assert read(engine, "date", database.literal([date(2026, 2, 28), None])) == [date(2026, 2, 28), None]
