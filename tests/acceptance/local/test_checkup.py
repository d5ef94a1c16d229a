"""What the doctor says about the account, the installation's own state and the role that it works as."""

from collections.abc import Callable
from typing import Final

import pytest
from sqlalchemy import Engine, text

from console.actions.operations.doctor import examine
from console.local.postgres import Postgres
from console.local.roles import APPLICATION, OWNER, SUPERUSER
from console.queries.findings import Check, Verdict
from worker.settings import SANDBOX_KEY, Settings

Examine = Callable[..., dict[str, Check]]
ACCOUNT: Final = "UPDATE installation SET shared_at = now(), shared_why = 'order 7 is not ours'"
DISARMED: Final = "UPDATE installation SET disarmed_at = now(), disarmed_why = 'a copy'"
DOUBTED: Final = "UPDATE installation SET doubted_at = now()"


@pytest.fixture
def findings(database_url: str, redis_url: str, broker_prefix: str) -> Examine:
    """Return a function that examines this test's installation and returns its checks by name."""

    def look(role: str = APPLICATION) -> dict[str, Check]:
        settings = Settings(
            database_url=database_url.replace(f"//{APPLICATION}@", f"//{role}@"),
            redis_url=redis_url,
            broker_prefix=broker_prefix,
            api_key=SANDBOX_KEY,
            base_url="http://127.0.0.1:9/api",
        )
        return {check.name: check for check in examine(settings)}

    return look


@pytest.mark.parametrize(
    ("state", "name", "verdict", "words", "advice"),
    [
        (ACCOUNT, "account", Verdict.FAIL, "order 7 is not ours", "LETTRLABS_EXCLUSIVE=false"),
        (DISARMED, "arming", Verdict.FAIL, "nothing is sent: a copy", "mailrun arm"),
        (DOUBTED, "arming", Verdict.WARN, "Redis was new", "nothing to do"),
    ],
    ids=["shared", "disarmed", "doubted"],
)
def test_what_keeps_an_installation_from_sending_is_named(
    engine: Engine, findings: Examine, state: str, name: str, verdict: Verdict, words: str, advice: str
) -> None:
    well = findings()
    with engine.begin() as connection:
        connection.execute(text(state))

    unwell = findings()[name]

    assert well["account"].verdict is Verdict.OK
    assert "arming" not in well
    assert unwell.verdict is verdict
    assert words in unwell.found
    assert advice in unwell.advice


def test_a_table_that_the_role_may_not_change_is_named(
    postgres: Postgres, engine: Engine, findings: Examine
) -> None:
    before = findings()
    with postgres.connect(str(engine.url.database), role=OWNER) as connection:
        connection.execute(f"REVOKE DELETE ON proof FROM {APPLICATION}")

    role = findings()["role"]

    assert "role" not in before
    assert (role.verdict, role.found) == (Verdict.FAIL, f'"{APPLICATION}" may not read and write proof')


def test_a_role_that_may_do_everything_is_a_warning(findings: Examine) -> None:
    role = findings(SUPERUSER)["role"]

    assert (role.verdict, role.found) == (Verdict.WARN, f'"{SUPERUSER}" is a superuser')
