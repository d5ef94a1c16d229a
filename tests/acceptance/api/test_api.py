"""The HTTP interface: who may do what, once under a key, and every error a problem document."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from console.api.tokens import Scope, revoke_token
from models import Campaign, Event, Mailing
from tests.acceptance.api.conftest import count, problem
from worker.webhooks.signatures import HEADERS

ROOT = Path(__file__).parents[3]
EVENT = {"specversion": "1.0", "id": "1", "source": "shop", "type": "t", "data": {"name": "Zoë"}}


def test_an_event_is_taken_once_and_its_receipt_has_an_address(api: Any) -> None:
    first, again = api.event(EVENT), api.event(EVENT)

    assert (first.status_code, again.status_code) == (202, 200)
    assert first.headers["location"] == first.json()["url"] == again.json()["url"]
    assert api.client.get(first.json()["url"]).json()["outcome"] == "received"
    problem(api.event({**EVENT, "data": {}}), 409)
    assert count(api, Event) == 1


def test_a_batch_answers_for_each_event(api: Any) -> None:
    api.event(EVENT)

    answer = api.event([EVENT, {**EVENT, "id": "2"}], "application/cloudevents-batch+json")

    assert answer.status_code == 202
    assert [one["created"] for one in answer.json()["receipts"]] == [False, True]


def test_an_unsigned_or_unreadable_event_is_refused_and_nothing_is_stored(api: Any) -> None:
    unsigned = api.client.post("/v1/events", json=EVENT)

    assert "webhook-id" in problem(unsigned, 401)["detail"]
    problem(api.event("{"), 400)
    problem(api.event("[" * 100_000), 400)
    problem(api.event({"id": 1}), 400)
    problem(api.event(EVENT, "text/plain"), 415)
    problem(api.event(" " * 300_000), 413)
    assert count(api, Event) == 0


def test_a_body_without_a_length_is_cut_off_at_the_limit(api: Any) -> None:
    endless = (b" " * 65_536 for _ in range(1000))

    answer = api.client.post("/v1/events", content=endless, headers=dict.fromkeys(HEADERS, "1"))

    problem(answer, 413)


def test_a_mailing_is_queued_once_under_its_key(api: Any, person: Any) -> None:
    first, again = api.mail(person()), api.mail(person())

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert api.client.get(first.headers["location"]).json()["state"] == "queued"
    problem(api.mail(person(2)), 409)
    assert api.mail(person(), key='"key"').status_code == 200
    assert count(api, Mailing) == 1


@pytest.mark.parametrize(
    ("people", "wishes", "status", "detail"),
    [
        ([{"zip_code": "94110"}], {}, 422, "/recipients/0"),
        ([{}, {"state": "Atlantis"}], {}, 422, "/recipients/1"),
        ([{"merge": {"custom9": "x"}}], {}, 422, "/recipients/0/merge"),
        ([{"first_name": "a\x00b"}], {}, 422, "/recipients/0/first_name"),
        ([{"nickname": "x"}], {}, 422, "/recipients/0/nickname"),
        ([], {}, 422, "/recipients"),
        ([{}], {"template": 0}, 422, "/template"),
        ([{}], {"template": "1001"}, 422, "/template"),
        ([{}], {"postage": "Carrier pigeon"}, 422, "/postage"),
        ([{}], {"cap": "often"}, 422, "/cap"),
        ([{}], {"suppress": ["nobody"]}, 422, "nobody"),
        ([{}], {"send_at": "yesterday"}, 422, "send-at"),
        ([{}], {"key": None}, 400, "Idempotency-Key"),
        ([{}], {"key": "event:1:1:1"}, 422, "A key is"),
    ],
)
def test_what_cannot_be_mailed_is_refused_whole_with_its_place(
    api: Any, person: Any, people: Any, wishes: Any, status: int, detail: str
) -> None:
    answer = api.mail(*(person(n, **one) for n, one in enumerate(people)), **wishes)

    assert detail in problem(answer, status)["detail"]
    assert "Atlantis" not in answer.text
    assert count(api, Mailing) == 0


def test_a_mailing_is_cancelled_once(api: Any, person: Any) -> None:
    url = api.mail(person()).headers["location"]

    assert api.client.delete(url).json() == {"cancelled": 1, "requested": 0, "too_late": 0}
    problem(api.client.delete(url), 409)
    problem(api.client.delete("/v1/mailings/999"), 404)


def test_a_list_is_queued_once_and_cancelled_whole(api: Any) -> None:
    rows = "Ann,Lee,1 Oak St,Boston,MA,02108\nBob,Lee,1 Oak St,Boston,MA,nowhere\n"

    first, again = api.upload(rows, name="Neighbors"), api.upload(rows, name="Neighbors")

    assert (first.status_code, again.status_code) == (201, 200)
    told = first.json()
    assert (told["name"], told["people"], told["rejected"]) == ("Neighbors", 1, 1)
    assert api.client.delete(told["url"]).json()["cancelled"] == 1
    problem(api.client.delete(told["url"]), 409)


@pytest.mark.parametrize(
    ("rows", "query"),
    [
        ("", {}),
        ("Ann,Lee,1 Oak St,Boston,MA,nowhere\n", {}),
        ('"Ann,Lee\n' * 200, {}),
        ("\x00\x01\x02\x03", {}),
        ("Ann,Lee,1 Oak St,Boston,MA,02108\n", {"deliver_by": "1999-01-01"}),
    ],
)
def test_a_list_that_cannot_be_mailed_leaves_nothing(api: Any, rows: str, query: Any) -> None:
    problem(api.upload(rows, **query), 422)

    assert count(api, Campaign) == 0


def test_a_misspelt_parameter_is_noticed(api: Any) -> None:
    assert "/approvel" in problem(api.upload("", approvel="required"), 400)["detail"]
    problem(api.client.get("/v1/mailings?limit=1&limit=2"), 400)
    problem(api.client.get("/v1/mailings?limit=1000"), 400)


def test_pages_follow_each_other_without_gap_or_repetition(api: Any, person: Any) -> None:
    numbers = [api.mail(person(n), key=f"key {n}").json()["id"] for n in range(5)]
    path, seen = "/v1/mailings?limit=2&state=queued", []

    while path:
        page = api.client.get(path).json()
        seen += [one["id"] for one in page["items"]]
        path = page["next"]
        api.mail(person(100 + len(seen)), key=f"meanwhile {len(seen)}")

    assert seen == numbers[::-1]


def test_a_token_is_good_for_its_scopes_and_until_it_is_revoked(api: Any, person: Any) -> None:
    token = api.token(Scope.MAILINGS_READ)
    api.client.headers["authorization"] = f"Bearer {token}"

    assert api.client.get("/v1/mailings").status_code == 200
    assert "mailings:write" in problem(api.mail(person()), 403)["detail"]
    problem(api.client.get("/v1/events"), 403)
    with api.engine.begin() as connection:
        name = connection.exec_driver_sql("SELECT name FROM token WHERE name <> 'all'").scalar_one()
        revoke_token(connection, name, func.now())
    problem(api.client.get("/v1/mailings"), 401)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic abc", "Bearer mailrun_" + "x" * 500])
def test_nobody_gets_in_without_a_token(api: Any, header: str) -> None:
    api.client.headers["authorization"] = header

    answer = api.client.get("/v1/mailings")

    problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_database_keeps_no_token(api: Any) -> None:
    token = api.token(Scope.MAILINGS_READ)

    with api.engine.connect() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM token").all())

    assert token not in rows
    assert token.removeprefix("mailrun_") not in rows


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, "1.5", "٣"])
def test_a_number_that_is_none_of_ours_is_not_found(api: Any, number: str) -> None:
    problem(api.client.get(f"/v1/mailings/{number}"), 404)


def test_what_does_not_exist_is_a_problem_document_too(api: Any) -> None:
    problem(api.client.get("/v1/nothing"), 404)
    problem(api.client.get("/v1/mailings/"), 404)
    refused = api.client.put("/v1/mailings")
    problem(refused, 405)
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_it_is_alive_and_ready(api: Any) -> None:
    assert api.client.get("/healthz").json() == api.client.get("/readyz").json() == {"status": "ok"}


def test_without_its_tables_it_is_alive_but_not_ready(api: Any, postgres: Any) -> None:
    with postgres.connect(api.engine.url.database) as connection:
        connection.execute("ALTER TABLE event RENAME TO event_away")

    assert api.client.get("/healthz").status_code == 200
    assert api.client.get("/readyz").status_code == 503


def test_the_documented_program_runs(engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), flags=re.DOTALL)
    url = engine.url.render_as_string(hide_password=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "neighbors.csv").write_text(
        "First name,Last name,Address,City,State,ZIP\nAnn,Lee,1 Oak St,Boston,MA,02108\n"
    )

    names: dict[str, Any] = {}
    exec(program.replace("postgresql+psycopg://mailrun@localhost/mailrun", url), names)  # noqa: S102 - our own page
    names["engine"].dispose()

    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Mailing)) == 2
