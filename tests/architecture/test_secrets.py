"""Neither the key nor a person shows when something is printed, as a traceback or a debug line would."""

from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from lettrlabs import (
    LettrLabs,
    NewAddress,
    NewMetadata,
    NewPersonal,
    NewRecipient,
    OrderRecipient,
    Undeliverable,
)
from models import Recipient
from worker.context import open_context, open_engine
from worker.settings import Settings

KEY = "LL-API-verysecret"
PASSWORD = "hunter2"  # noqa: S105 - nobody's
NAME, STREET, MAIL = "Wilhelmina", "77 Zanzibar Crescent", "wq@example.org"


@pytest.fixture
def settings() -> Settings:
    return Settings(
        api_key=KEY,
        database_url=f"postgresql://mailrun:{PASSWORD}@localhost/mailrun",
        redis_url=f"redis://:{PASSWORD}@localhost/0",
    )


def test_what_holds_the_key_does_not_show_it(settings: Settings) -> None:
    context = open_context(settings)
    vendor = LettrLabs("http://127.0.0.1:9/api", SecretStr(KEY))
    shown = [settings, context, context.vendor, context.engine, vendor, vars(vendor), vendor.observed(print)]

    for one in shown:
        assert KEY not in f"{one!r} {one!s}"
        assert PASSWORD not in f"{one!r} {one!s}"
    vendor.close()
    context.close()


def person(**more: Any) -> dict[str, Any]:
    return {
        "address": NewAddress(address1=STREET, city="Springfield", state="IL", zipCode="62701"),
        "personal": NewPersonal(firstName=NAME),
        **more,
    }


@pytest.mark.parametrize(
    "one",
    [
        NewRecipient(**person(metadata=NewMetadata(email=MAIL))),
        OrderRecipient.model_validate(
            {
                "id": 1,
                "personal": {"firstName": NAME},
                "address": {"address1": STREET},
                "metadata": {"email": MAIL},
            }
        ),
        Undeliverable.model_validate(
            {"address": {"address1": STREET}, "personal": {"firstName": NAME}, "reason": "Do not mail"}
        ),
        Recipient(mailing_id=1, position=0, first_name=NAME, address1=STREET, email=MAIL),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_holds_a_person_does_not_show_them(one: object) -> None:
    for secret in (NAME, STREET, MAIL):
        assert secret not in f"{one!r} {one!s}"


def test_a_statement_that_fails_does_not_quote_its_parameters(database_url: str) -> None:
    engine = open_engine(database_url)
    with pytest.raises(SQLAlchemyError) as failed, engine.connect() as connection:
        connection.execute(text("SELECT :name / 0"), {"name": NAME})
    engine.dispose()

    assert NAME not in str(failed.value).split("[SQL")[1]
