import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from intake.errors import ErrorCode, IntakeError
from intake.recipients.digests import installation_key, of_email
from intake.suppression import lists
from models import Approval, Mailing, Outcome, Stage, State, Suppression
from worker.engine.pipeline import RunBudget, process
from worker.recipients.policy import FrequencyCap, RecipientPolicy

ANN = "Ann,Lee,,12 Oak Street Apt 4,Boston,MA,02108,ann@example.com,C-1\n"
BEN = "Ben,Kim,Acme,9 Elm St,Reno,NV,89501,ben@example.com,C-2\n"
CAL = "Cal,Roe,,7 Fir Ave,Austin,TX,78701,,\n"


@pytest.mark.parametrize(
    "mark",
    [
        {"full_name": "LEE, ANN", "address1": "12 oak st", "address2": "#4", "zip_code": "2108"},
        {"address1": "12 Oak Street", "address2": "Apartment 4", "zip_code": "02108-1234"},
        {"email": " ANN@example.com "},
        {"customer_id": "C-1"},
    ],
)
def test_who_is_suppressed_by_any_mark_is_not_handed_over(post: Any, mark: dict[str, str]) -> None:
    post.suppress(**mark)

    campaign = post.submit(ANN + BEN)
    (row,) = post.job(campaign)

    assert post.outcomes(campaign) == ["suppressed", "accepted"]
    assert (row.state, row.accepted, row.rejected) == (State.SENT, 1, 1)
    assert post.pieces() == {"ben": 1}


def test_somebody_suppressed_at_home_is_suppressed_with_their_company_in_the_address_too(post: Any) -> None:
    post.suppress(full_name="Ben Kim", address1="9 Elm Street", zip_code="89501")

    campaign = post.submit(BEN + CAL)
    post.job(campaign)

    assert post.outcomes(campaign) == ["suppressed", "accepted"]


def test_a_list_of_ones_own_holds_for_the_campaign_that_names_it_and_no_other(post: Any) -> None:
    post.suppress("winter", email="ann@example.com")

    named = post.submit(ANN + BEN, sparing=RecipientPolicy(lists=("winter",)))
    other = post.submit(ANN + BEN)
    post.job(named)
    post.job(other)

    assert post.outcomes(named) == ["suppressed", "accepted"]
    assert post.outcomes(other) == ["accepted", "accepted"]


def test_a_misspelt_list_is_refused_and_nothing_is_stored(post: Any) -> None:
    with pytest.raises(IntakeError) as refusal:
        post.submit(ANN, sparing=RecipientPolicy(lists=("wintre",)))

    assert refusal.value.fault is ErrorCode.UNKNOWN_LIST
    with post.engine.connect() as connection:
        assert connection.scalars(select(Mailing.id)).all() == []


def test_a_mailing_that_only_suppressed_people_are_on_ends_without_a_draft_and_without_a_failure(
    post: Any,
) -> None:
    post.suppress(email="ann@example.com")

    (row,) = post.job(post.submit(ANN))

    assert (row.state, row.reason_code) == (State.CANCELLED, "nobody_to_mail")
    assert "1 suppressed" in row.reason
    totals = post.totals()
    assert (totals["liveDrafts"], totals["pieces"], totals["charges"]) == (0, 0, 0)


def test_a_suppression_added_while_a_campaign_waits_takes_effect_and_is_agreed_to_anew(post: Any) -> None:
    campaign = post.submit(ANN + BEN + CAL, approval=Approval.REQUIRED)
    (before,) = post.job(campaign)
    post.suppress(email="ben@example.com")

    post.approve(campaign)
    (asked,) = post.job(campaign)

    assert (asked.state, asked.accepted, asked.rejected) == (State.APPROVAL, 2, 1)
    assert "the people on the order changed" in asked.reason
    assert asked.quoted < before.quoted
    post.approve(campaign)
    (after,) = post.job(campaign)
    assert (after.state, after.charged) == (State.SENT, after.quoted)
    assert post.pieces() == {"ann": 1, "cal": 1}
    assert post.outcomes(campaign) == ["accepted", "suppressed", "accepted"]


def test_when_everybody_is_suppressed_meanwhile_the_draft_goes_and_nothing_is_paid(post: Any) -> None:
    campaign = post.submit(ANN, approval=Approval.REQUIRED)
    post.job(campaign)
    post.suppress(customer_id="C-1")

    post.approve(campaign)
    (row,) = post.job(campaign)

    assert (row.state, row.reason_code) == (State.CANCELLED, "nobody_to_mail")
    totals = post.totals()
    assert (totals["liveDrafts"], totals["charges"]) == (0, 0)


@pytest.mark.parametrize("kind", ["error_after", "error_before", "cut_after", "refuse"])
def test_a_lost_answer_to_taking_people_off_is_found_out_by_looking(post: Any, kind: str) -> None:
    campaign = post.submit(ANN + BEN + CAL, approval=Approval.REQUIRED)
    post.job(campaign)
    post.suppress(email="ben@example.com")
    post.sandbox.fail("delete_recipients", kind, count=1)

    post.approve(campaign)
    post.job(campaign)
    post.approve(campaign)
    (row,) = post.job(campaign)

    assert row.state is State.SENT
    assert post.pieces() == {"ann": 1, "cal": 1}


class Died(BaseException):
    """The worker's end, as far as its code can see."""


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("people", [BEN, BEN + CAL], ids=["all of them", "one of two"])
def test_a_worker_that_dies_while_taking_people_off_is_followed_by_one_that_goes_on(
    post: Any, monkeypatch: pytest.MonkeyPatch, people: str, *, applied: bool
) -> None:
    campaign = post.submit(people, approval=Approval.REQUIRED)
    (row,) = post.job(campaign)
    post.suppress(email="ben@example.com")
    post.approve(campaign)
    write = "delete_order" if people == BEN else "delete_recipients"
    kind = type(post.context.vendor)
    real = getattr(kind, write)

    def dies(*arguments: Any) -> None:
        if applied:
            real(*arguments)
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(kind, write, dies)
        with pytest.raises(Died):
            process(post.context, [row.id], Stage.CHECKOUT, RunBudget())

    started = post.clock()
    (row,) = post.job(campaign)
    # Nobody waits for a lost checkout that never was: only for the lease of the dead.
    assert (post.clock() - started).total_seconds() < post.context.settings.lease_seconds + 5
    if people == BEN:
        assert (row.state, row.reason_code) == (State.CANCELLED, "nobody_to_mail")
    else:
        post.approve(campaign)
        (row,) = post.job(campaign)
        assert row.state is State.SENT
        assert post.pieces() == {"cal": 1}


@pytest.mark.parametrize(
    ("during", "a_moment"),
    [(Stage.SUMMARIZE, 2), (Stage.CHECKOUT, -1), (Stage.SUMMARIZE, -1)],
    ids=["run through", "looked at again", "found by that look"],
)
def test_a_suppression_between_the_last_look_and_the_checkout_still_counts(
    post: Any, monkeypatch: pytest.MonkeyPatch, during: Stage, a_moment: int
) -> None:
    monkeypatch.setattr("worker.job.MAX_SNAPSHOT_AGE", timedelta(seconds=a_moment))
    campaign = post.submit(BEN + CAL)
    kind = type(post.context.vendor)
    real, done = kind.summary, threading.Event()

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        (row,) = post.mailings(campaign)
        if row.stage is during and not done.is_set():
            done.set()
            post.suppress(email="ben@example.com")
        return real(*arguments, **options)

    monkeypatch.setattr(kind, "summary", meanwhile)
    (row,) = post.job(campaign)

    assert (done.is_set(), row.state) == (True, State.SENT)
    assert post.pieces() == {"cal": 1}


def test_a_list_holds_nobodys_name_address_or_email(post: Any) -> None:
    post.suppress(full_name="Ann Lee", address1="12 Oak St", zip_code="02108", email="ann@example.com")

    with post.engine.connect() as connection:
        kept = str(connection.execute(select(*Suppression.__table__.columns)).all()).lower()
        keys = connection.execute(text("SELECT length(digest_key) FROM installation")).scalar_one()

    assert not any(word in kept for word in ("ann", "lee", "oak", "02108", "example.com"))
    assert keys == 32


def test_who_was_taken_off_is_told_with_the_list_and_the_mark(post: Any) -> None:
    post.suppress(email="ann@example.com")
    campaign = post.submit(ANN + BEN)
    post.job(campaign)

    first = post.people(campaign)[0]

    assert (first.outcome, first.reason) == (Outcome.SUPPRESSED, "on the list do-not-mail, by email")


@pytest.mark.parametrize("listed", ["ANN@EXAMPLE.COM", "ann@example.com", "Ann@Example.Com"])
def test_an_email_on_a_list_is_found_in_upper_and_lower_case(post: Any, listed: str) -> None:
    post.suppress(email=listed)

    campaign = post.submit(ANN.replace("ann@example.com", "aNN@eXAMPLE.com"))
    post.job(campaign)

    assert post.outcomes(campaign) == ["suppressed"]


def test_who_is_taken_off_one_list_stays_on_the_others_and_the_others_stay_on_it(post: Any) -> None:
    for name in ("do-not-mail", "winter"):
        post.suppress(name, email="ann@example.com")
        post.suppress(name, email="ben@example.com")
    with post.engine.begin() as connection:
        digest = of_email("ann@example.com", installation_key(connection))

        removed = lists.remove(connection, [digest or b""], "do-not-mail")

    winter = post.submit(ANN + BEN, sparing=RecipientPolicy(lists=("winter",)))
    everywhere = post.submit(ANN + BEN)
    post.job(winter)
    post.job(everywhere)
    assert removed == 1
    assert post.outcomes(winter) == ["suppressed", "suppressed"]
    assert post.outcomes(everywhere) == ["accepted", "suppressed"]


def test_who_is_suppressed_before_checkout_gives_the_place_in_the_cap_back(post: Any) -> None:
    once = RecipientPolicy(cap=FrequencyCap(1, 30))
    campaign = post.submit(ANN + BEN, approval=Approval.REQUIRED, sparing=once)
    post.job(campaign)
    assert [one.counted_on is not None for one in post.people(campaign)] == [True, True]
    post.suppress(email="ann@example.com")
    post.approve(campaign)
    post.job(campaign)
    assert [one.counted_on is not None for one in post.people(campaign)] == [False, True]

    with post.engine.begin() as connection:
        digest = of_email("ann@example.com", installation_key(connection))
        lists.remove(connection, [digest or b""], "do-not-mail")
    later = post.submit(ANN + BEN, sparing=once)
    post.job(later)

    assert post.outcomes(later) == ["accepted", "capped"]
