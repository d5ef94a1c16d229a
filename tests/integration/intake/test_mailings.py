from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import InstrumentedAttribute

from intake.errors import ConflictError, IntakeError
from intake.mailings import SubmittedMailing, submit_mailing
from intake.options import Options, Postage
from intake.recipients.recipient import Recipient
from models import Mailing, Priority
from models import Recipient as Written

ANN = Recipient("12 Oak St", "Boston", "MA", "02108", first_name="Ann", merge={"custom1": "hi"})
BO = Recipient("14 Oak St", "Boston", "MA", "02108", first_name="Bo")
OPTIONS = Options(template_id=7)


def submit(
    engine: Engine, people: Sequence[Recipient], options: Options = OPTIONS, key: str = "welcome"
) -> SubmittedMailing:
    return submit_mailing(engine, people, options, key=key)


def rows(engine: Engine, *columns: InstrumentedAttribute[Any]) -> list[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns))]


def test_a_mailing_is_queued_ahead_of_campaigns_with_its_people(engine: Engine) -> None:
    done = submit(engine, [ANN, BO])

    assert (done.created, done.people) == (True, 2)
    assert rows(engine, Mailing.id, Mailing.priority, Mailing.size) == [(done.mailing_id, Priority.EVENT, 2)]
    assert rows(engine, Written.position, Written.first_name, Written.row, Written.merge) == [
        (0, "Ann", None, {"custom1": "hi"}),
        (1, "Bo", None, {}),
    ]


def test_the_same_mailing_under_its_key_again_is_that_mailing(engine: Engine) -> None:
    first, again = submit(engine, [ANN]), submit(engine, [ANN])

    assert (again.created, again.mailing_id, again.people) == (False, first.mailing_id, 1)


@pytest.mark.parametrize(
    ("people", "options"),
    [([BO], OPTIONS), ([ANN, BO], OPTIONS), ([ANN], Options(template_id=7, postage=Postage.FIRST_CLASS))],
)
def test_other_content_under_the_same_key_is_a_conflict(
    engine: Engine, people: list[Recipient], options: Options
) -> None:
    first = submit(engine, [ANN])

    with pytest.raises(ConflictError, match="nothing was sent") as conflict:
        submit(engine, people, options)

    assert conflict.value.existing == first.mailing_id
    assert "Bo" not in str(conflict.value)
    assert len(rows(engine, Written.position)) == 1


def test_somebody_named_twice_is_mailed_once(engine: Engine) -> None:
    assert submit(engine, [ANN, ANN]).people == 1


def test_a_mailing_to_nobody_is_refused(engine: Engine) -> None:
    with pytest.raises(IntakeError, match="1 to 50,000 people"):
        submit(engine, [])
