"""Mailings and campaigns over HTTP: once under a key however often they are asked for, cancelled, within bounds."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any

import pytest
from sqlalchemy import select, update

from console.api.tokens import Scope, create_token
from intake.suppression import lists
from models import Campaign, Mailing
from tests.acceptance.api.conftest import count, problem
from worker import approvals
from worker.billing.approval_terms import current_terms

ANN = "Ann,Lee,1 Oak St,Boston,MA,02108\n"
BEN = "Ben,Kim,9 Elm St,Reno,NV,89501\n"


def test_the_same_order_from_many_at_once_is_one_mailing(api: Any, person: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.mail(person()), range(16)))

    assert sorted(one.status_code for one in answers) == [200] * 15 + [201]
    assert len({one.json()["id"] for one in answers}) == 1
    assert count(api, Mailing) == 1


@pytest.mark.parametrize(
    "changes", [{"template": 1002}, {"postage": "FirstClass"}, {"approval": "required"}, {"cap": "1/30"}]
)
def test_a_key_belongs_to_its_options_too(api: Any, person: Any, changes: Any) -> None:
    api.mail(person())

    problem(api.mail(person(), **changes), 409)

    assert count(api, Mailing) == 1


def test_two_keys_are_two_mailings(api: Any, person: Any) -> None:
    answers = [api.mail(person(), key=key) for key in ("a", "b")]

    assert [one.status_code for one in answers] == [201, 201]
    assert count(api, Mailing) == 2


def test_a_refused_order_leaves_its_key_free(api: Any, person: Any) -> None:
    problem(api.mail(person(zip_code="nowhere")), 422)

    assert api.mail(person()).status_code == 201


@pytest.mark.parametrize("key", ["", '""', "x" * 300, "event:1:1:1", "gathering:1", "a\tb"])
def test_a_key_that_is_none_is_refused(api: Any, person: Any, key: str) -> None:
    assert api.mail(person(), key=key).status_code in {400, 422}

    assert count(api, Mailing) == 0


def test_a_campaign_is_queued_once_under_its_key(api: Any) -> None:
    first, again = api.upload(ANN, key="spring"), api.upload(ANN, key="spring")
    other = api.upload(BEN, key="spring")
    changed = api.upload(ANN, key="spring", postage="FirstClass")

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    problem(other, 409)
    problem(changed, 409)
    assert api.upload(ANN, key="summer", again="everybody").status_code == 201
    assert count(api, Campaign) == 2


def test_a_campaign_takes_the_options_that_a_mailing_takes(api: Any) -> None:
    with api.engine.begin() as connection:
        lists.open_list(connection, "winter")
        lists.open_list(connection, "vips")
    day = datetime.now(UTC).date() + timedelta(days=30)

    answer = api.upload(
        ANN, suppress=["winter", "vips"], cap="2/30", one_per_household="true", hold_until=day.isoformat()
    )

    assert answer.status_code == 201
    with api.engine.connect() as connection:
        row = connection.execute(
            select(Mailing.suppress, Mailing.cap_pieces, Mailing.one_per_household, Mailing.hold_until)
        ).one()
    assert (set(row.suppress), row.cap_pieces, row.one_per_household) == ({"winter", "vips"}, 2, True)
    assert row.hold_until == day
    problem(api.upload(BEN, suppress=["wintre"]), 422)
    problem(api.upload(BEN, one_per_household="1"), 400)
    problem(api.upload(BEN, cap="often"), 422)
    assert count(api, Campaign) == 1


def advance(api: Any, **values: Any) -> None:
    with api.engine.begin() as connection:
        connection.execute(update(Mailing).values(**values))


def test_a_mailing_with_a_draft_is_cancelled_before_its_next_write(api: Any, person: Any) -> None:
    url = api.mail(person()).headers["location"]
    advance(api, stage="proof", order_id=7)

    answer = api.client.delete(url)

    assert (answer.status_code, answer.json()) == (202, {"cancelled": 0, "requested": 1, "too_late": 0})
    assert api.client.delete(url).status_code == 202


def test_a_paid_mailing_is_not_cancelled_and_says_who_could(api: Any, person: Any) -> None:
    url = api.mail(person()).headers["location"]
    advance(api, stage="settle", order_id=7)

    told = problem(api.client.delete(url), 409)

    assert (told["type"], "support" in told["detail"]) == ("urn:mailrun:problem:too-late", True)


def test_cancelling_a_campaign_counts_what_is_paid_already(api: Any) -> None:
    told = api.upload(ANN + BEN).json()
    advance(api, stage="settle", order_id=7)

    answer = api.client.delete(told["url"])

    assert (answer.status_code, answer.json()) == (200, {"cancelled": 0, "requested": 0, "too_late": 1})
    problem(api.client.delete("/v1/campaigns/999"), 404)


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (nested(40), 400, "too-deep"),
        (nested(100_000), 400, "not-json"),
        ('{"template": ' + "9" * 5000 + "}", 400, "not-json"),
        ('{"template": NaN}', 400, "not-json"),
        (b"\xff\xfe", 400, "not-json"),
        ("[]", 422, "invalid"),
        (" " * 2_200_000, 413, "too-large"),
    ],
)
def test_a_mailing_that_cannot_be_read_is_refused_by_kind(
    api: Any, body: str | bytes, status: int, code: str
) -> None:
    headers = {"content-type": "application/json", "idempotency-key": "k"}

    told = problem(api.client.post("/v1/mailings", content=body, headers=headers), status)

    assert told["type"] == f"urn:mailrun:problem:{code}"
    assert count(api, Mailing) == 0


def test_a_list_that_says_it_is_too_large_is_refused_before_it_is_sent(api: Any) -> None:
    # By hand: no client sends the head of a request and keeps its body.
    headers = {**api.client.headers, "content-type": "text/csv", "content-length": str(300 * 2**20)}
    url = api.client.base_url
    connection = HTTPConnection(url.host, url.port, timeout=10)
    with closing(connection):
        connection.putrequest("POST", "/v1/campaigns?template=1001", skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        told = json.loads(answer.read())

    assert answer.status == 413
    assert "cut it into several" in told["detail"]


@pytest.mark.parametrize("path", ["/v1/campaigns", "/v1/events"])
def test_campaigns_and_receipts_come_in_pages_too(api: Any, path: str) -> None:
    for n in range(5):
        api.upload(f"Ann,Lee,{n + 1} Oak St,Boston,MA,02108\n")
        api.event({"specversion": "1.0", "id": str(n), "source": "shop", "type": "t"})
    pages, following = [], f"{path}?limit=2"

    while following:
        page = api.client.get(following).json()
        pages.append([one.get("id", one.get("receipt")) for one in page["items"]])
        following = page["next"]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({one for page in pages for one in page}) == 5


def test_receipts_are_found_by_outcome_source_and_type(api: Any) -> None:
    for n, source in enumerate(["shop", "shop", "crm"]):
        api.event({"specversion": "1.0", "id": str(n), "source": source, "type": f"t{n}"})

    def found(query: str) -> int:
        return len(api.client.get(f"/v1/events?{query}").json()["items"])

    counts = [found(one) for one in ("source=shop", "type=t2", "outcome=received", "outcome=mailed")]

    assert counts == [2, 1, 3, 0]
    problem(api.client.get("/v1/events?outcome=lost"), 400)


def test_people_who_got_the_template_lately_are_a_conflict_until_the_request_says_what_to_do(
    api: Any,
) -> None:
    api.upload(ANN)

    refused = problem(api.upload(ANN + BEN), 409)
    only_new = api.upload(ANN + BEN, again="new")
    all_of_them = api.upload(ANN + BEN, again="everybody")

    assert refused["type"] == "urn:mailrun:problem:mailed-lately"
    assert (refused["people"], refused["repeated"]) == (2, 1)
    assert refused["senders"][0] | {"at": ""} == {"campaign": 1, "people": 1, "at": "", "paid": False}
    assert (only_new.status_code, only_new.json()["people"]) == (201, 1)
    assert (all_of_them.status_code, all_of_them.json()["people"]) == (201, 2)
    problem(api.upload(ANN, again="nobody"), 400)


def test_what_comes_in_over_http_is_the_token_owners_who_may_not_approve_it_alone(
    api: Any, person: Any
) -> None:
    with api.engine.begin() as connection:
        token = create_token(connection, "shop", Scope, owner="alice")
    api.client.headers["authorization"] = f"Bearer {token}"

    api.mail(person(), approval="required")
    api.upload(BEN, approval="required")

    with api.engine.begin() as connection:
        found = connection.execute(select(Mailing.id, Mailing.submitted_by, Mailing.submitter_token)).all()
        waits = {"stage": "checkout", "state": "approval", "order_id": Mailing.id}
        connection.execute(update(Mailing).values(waits))
        offer = current_terms(connection, found[0].id)
        decided = [
            approvals.approve(connection, found[0].id, who, datetime.now(UTC), seen=offer, four_eyes=True)
            for who in ("alice", "bob")
        ]
    assert [tuple(one)[1:] for one in found] == [("alice", "shop")] * 2
    assert decided == [approvals.ApprovalOutcome.OWN, approvals.ApprovalOutcome.APPROVED]


def test_a_token_without_an_owner_is_recorded_by_its_name(api: Any, person: Any) -> None:
    api.mail(person())

    with api.engine.connect() as connection:
        assert connection.scalars(select(Mailing.submitted_by)).one() == "token all"
