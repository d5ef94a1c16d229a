"""Proof and quote: what the piece will look like and what it will cost, kept as the vendor gave them."""

from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select

from models import Approval, Proof, Quote, QuoteLine, Stage, State
from worker import transitions

FAULTS = ["cut_before", "cut_after", "truncate", "error_before", "error_after", "too_many"]


def proofs(hands: Any) -> list[Any]:
    with hands.context.engine.connect() as connection:
        return list(connection.execute(select(Proof.sha256, Proof.pdf)))


def quotes(hands: Any, mailing_id: int) -> list[Any]:
    columns = Quote.__table__.columns
    with hands.context.engine.connect() as connection:
        return list(
            connection.execute(select(*columns).where(columns.mailing_id == mailing_id).order_by(columns.id))
        )


def lines(hands: Any, quote_id: int) -> list[Any]:
    columns = QuoteLine.__table__.columns
    with hands.context.engine.connect() as connection:
        return list(
            connection.execute(
                select(*columns).where(columns.quote_id == quote_id).order_by(columns.position)
            )
        )


def test_the_proof_of_the_first_person_on_the_order_is_kept_under_its_hash(hands: Any, a_person: Any) -> None:
    people = [a_person(0, last_name="Donotmail"), a_person(1, first_name="Wilhelmina"), a_person(2)]

    row = hands.pen.mailing(hands.to(Stage.SUMMARIZE, people))

    ((digest, pdf),) = proofs(hands)
    assert row.proof_sha256 == digest == sha256(pdf).digest()
    assert "Wilhelmina" in "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def test_the_same_proof_of_two_mailings_is_kept_once(hands: Any) -> None:
    rows = [hands.pen.mailing(hands.to(Stage.SUMMARIZE)) for _ in range(2)]

    assert rows[0].proof_sha256 == rows[1].proof_sha256
    assert len(proofs(hands)) == 1


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("endpoint", ["proof", "summary"])
def test_a_vendor_that_fails_to_tell_is_asked_again_later(
    hands: Any, sandbox: Any, endpoint: str, fault: str
) -> None:
    stage = Stage(endpoint) if endpoint == "proof" else Stage.SUMMARIZE
    mailing_id = hands.to(stage)
    sandbox.fail(endpoint, fault, count=3)

    waits = hands.step(mailing_id)

    assert (waits.stage, waits.state, waits.attempts) == (stage, State.QUEUED, 0)
    assert hands.pen.mailing(hands.on_to(Stage.CHECKOUT, mailing_id)).quoted is not None


@pytest.mark.parametrize("stage", [Stage.PROOF, Stage.SUMMARIZE])
def test_a_worker_that_died_while_asking_is_replaced_by_asking_again(hands: Any, stage: Stage) -> None:
    mailing_id = hands.to(stage)
    hands.abandon(mailing_id)

    row = hands.deliver(mailing_id)

    assert row.stage is (Stage.SUMMARIZE if stage is Stage.PROOF else Stage.CHECKOUT)
    assert row.recovering is False


@pytest.mark.parametrize("stage", [Stage.PROOF, Stage.SUMMARIZE])
def test_an_order_that_is_gone_ends_with_a_person(hands: Any, stage: Stage) -> None:
    mailing_id = hands.to(stage)
    hands.context.vendor.delete_order(hands.pen.mailing(mailing_id).order_id)

    row = hands.to_the_end(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, "order_gone")


def test_the_quote_is_kept_line_by_line_and_its_lines_make_the_total(hands: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT, people=250)

    (quote,) = quotes(hands, mailing_id)
    kept = lines(hands, quote.id)
    of = {False: Decimal(0), True: Decimal(0)}
    for line in kept:
        if line.parent is None:
            of[line.is_credit] += line.total
    assert hands.pen.mailing(mailing_id).quoted == quote.total == of[False] + quote.tax - of[True]
    assert (quote.charges, quote.credits) == (of[False], of[True])
    assert quote.credits > 0
    assert set(quote.options["speed"]) >= {"Normal", "ExpeditedFaster", "ExpeditedFastest"}
    assert quote.delivery_min < quote.delivery_max


def test_the_quote_is_for_the_postage_and_speed_that_were_asked(hands: Any) -> None:
    cheap = hands.pen.mailing(hands.to(Stage.CHECKOUT))
    dear = hands.pen.mailing(hands.to(Stage.CHECKOUT, postage="FirstClass", speed="ExpeditedFastest"))

    assert dear.quoted > cheap.quoted
    (quote,) = quotes(hands, dear.id)
    assert (quote.postage, quote.speed) == ("FirstClass", "ExpeditedFastest")


def test_an_unknown_postage_ends_with_a_person_and_the_vendors_words(hands: Any) -> None:
    row = hands.to_the_end(hands.to(Stage.SUMMARIZE, postage="Pigeon"))

    assert (row.state, row.reason_code) == (State.ATTENTION, "refused")
    assert "Pigeon" in row.reason or "postage" in row.reason


def test_with_approval_required_a_person_is_asked_before_checkout(hands: Any, sandbox: Any) -> None:
    row = hands.to_the_end(mailing_id := hands.to(Stage.SUMMARIZE, approval=Approval.REQUIRED))

    assert (row.stage, row.state, row.wake_at) == (Stage.CHECKOUT, State.APPROVAL, None)
    assert row.quoted == quotes(hands, mailing_id)[0].total
    hands.forward(86400)
    assert hands.deliver(mailing_id) == row
    assert sandbox.calls("checkout") == 0


def test_once_approved_it_is_paid_at_the_approved_price(hands: Any, sandbox: Any) -> None:
    asked = hands.to_the_end(mailing_id := hands.to(Stage.SUMMARIZE, approval=Approval.REQUIRED))
    with hands.context.engine.begin() as connection:
        assert transitions.approve(connection, mailing_id, "Ada", hands.clock.at)

    row = hands.pen.mailing(hands.on_to(Stage.SETTLE, mailing_id))

    assert (row.approved_by, row.quoted) == ("Ada", asked.quoted)
    assert Decimal(sandbox.order()["checkouts"][0]["due"]) == asked.quoted


def test_a_price_that_changed_before_the_summary_is_the_price_that_is_kept(hands: Any, sandbox: Any) -> None:
    plain = hands.pen.mailing(hands.to(Stage.CHECKOUT)).quoted
    sandbox.fail("summary", "requote", factor=2, count=1)

    mailing_id = hands.to(Stage.CHECKOUT)

    row = hands.pen.mailing(mailing_id)
    assert row.quoted == quotes(hands, mailing_id)[0].total > plain


def test_a_quote_is_kept_only_if_its_stage_was_concluded(hands: Any) -> None:
    mailing_id = hands.to(Stage.SUMMARIZE)
    with hands.while_calling(mailing_id, "summary"):
        hands.until(hands.pen.mailing(mailing_id).lease_until)
        hands.deliver(mailing_id)

    assert len(quotes(hands, mailing_id)) == 1
    with hands.context.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(QuoteLine)) == len(
            lines(hands, quotes(hands, mailing_id)[0].id)
        )
    assert [call.operation for call in hands.journal(mailing_id)].count("summary") == 2
