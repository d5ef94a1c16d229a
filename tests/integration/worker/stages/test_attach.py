"""Attaching the recipients: each accepted person is on the order once, whatever became of the answers."""

from typing import Any

import pytest

from lettrlabs import Accepted
from models import Outcome, Stage, State
from worker import transitions

FAULTS = ["cut_before", "cut_after", "truncate", "error_before", "error_after", "refuse"]


@pytest.fixture
def pages_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make five people three pages."""
    monkeypatch.setattr("worker.stages.recipient_pages.MAX_RECIPIENTS", 2)


def names_on(order: dict[str, Any]) -> list[str]:
    return sorted(person["firstName"] for person in order["recipients"])


def names_of(hands: Any, mailing_id: int) -> list[str]:
    return sorted(person.first_name for person in hands.pen.recipients(mailing_id))


def test_everybody_accepted_gets_the_vendors_id(hands: Any, sandbox: Any) -> None:
    row = hands.pen.mailing(mailing_id := hands.to(Stage.PROOF, people=3))

    order = sandbox.order()
    assert (row.accepted, row.rejected, row.cursor) == (3, 0, 3)
    assert {one.vendor_id: one.first_name for one in hands.pen.recipients(mailing_id)} == {
        one["id"]: one["firstName"] for one in order["recipients"]
    }


def test_whom_the_vendor_refuses_is_marked_with_its_reason(hands: Any, a_person: Any) -> None:
    people = [
        a_person(0),
        a_person(1, last_name="Donotmail"),
        a_person(2, address1="0 Nowhere Lane"),
        a_person(3, first_name="First0", last_name="Last0", address1="100 Main Street"),
    ]

    mailing_id = hands.to(Stage.PROOF, people)

    outcomes = [(one.outcome, bool(one.reason)) for one in hands.pen.recipients(mailing_id)]
    assert outcomes.count((Outcome.ACCEPTED, False)) == 1
    assert outcomes.count((Outcome.REJECTED, True)) == 3
    assert outcomes[1][0] is outcomes[2][0] is Outcome.REJECTED
    row = hands.pen.mailing(mailing_id)
    assert (row.accepted, row.rejected) == (1, 3)


@pytest.mark.usefixtures("pages_of_two")
def test_a_long_list_goes_in_pages_and_each_page_is_committed(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.to(Stage.ATTACH, people=5)
    with hands.while_calling(mailing_id, "append_recipients", after=2):
        assert hands.pen.mailing(mailing_id).cursor == 4

    assert names_on(sandbox.order()) == names_of(hands, mailing_id)
    assert sandbox.calls("append_recipients") == 3


@pytest.mark.usefixtures("pages_of_two")
@pytest.mark.parametrize("page", [0, 1, 2])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_lost_answer_to_a_page_puts_nobody_on_the_order_twice(
    hands: Any, sandbox: Any, fault: str, page: int
) -> None:
    sandbox.fail("append_recipients", fault, count=1, after=page)

    mailing_id = hands.to(Stage.PROOF, people=5)

    assert names_on(sandbox.order()) == names_of(hands, mailing_id)
    assert "unsure" in hands.pen.moves(mailing_id)


@pytest.mark.usefixtures("pages_of_two")
def test_a_page_that_never_arrived_is_sent_without_emptying_the_order(hands: Any, sandbox: Any) -> None:
    sandbox.fail("append_recipients", "cut_before", count=1, after=1)

    hands.to(Stage.PROOF, people=5)

    assert sandbox.calls("delete_recipients") == 0
    assert sandbox.calls("append_recipients") == 4


def test_a_page_whose_worker_died_before_its_commit_is_taken_off_and_sent_again(
    hands: Any, sandbox: Any, somebody: Any
) -> None:
    mailing_id = hands.to(Stage.ATTACH, people=2)
    put = hands.context.vendor.append_recipients(hands.pen.mailing(mailing_id).order_id, [somebody])
    assert isinstance(put, Accepted)
    hands.abandon(mailing_id)

    hands.on_to(Stage.PROOF, mailing_id)

    assert names_on(sandbox.order()) == names_of(hands, mailing_id)
    assert sandbox.calls("delete_recipients") == 1


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "error_after"])
def test_an_order_is_emptied_again_if_the_answer_to_that_was_lost(
    hands: Any, sandbox: Any, fault: str
) -> None:
    sandbox.fail("append_recipients", "cut_after", count=1)
    sandbox.fail("delete_recipients", fault, count=1)

    mailing_id = hands.to(Stage.PROOF, people=3)

    assert names_on(sandbox.order()) == names_of(hands, mailing_id)


def test_people_refused_openly_are_left_out_and_the_others_go(hands: Any, sandbox: Any) -> None:
    sandbox.fail("append_recipients", "partial", fraction=0.5, count=1)

    mailing_id = hands.to(Stage.PROOF, people=4)

    row = hands.pen.mailing(mailing_id)
    assert (row.accepted, row.rejected) == (2, 2)
    accepted = [one for one in hands.pen.recipients(mailing_id) if one.outcome is Outcome.ACCEPTED]
    assert sorted(one.first_name for one in accepted) == names_on(sandbox.order())


def test_people_dropped_in_silence_are_missed_and_the_order_is_filled_anew(hands: Any, sandbox: Any) -> None:
    sandbox.fail("append_recipients", "partial", fraction=0.5, silent=True, count=1)

    mailing_id = hands.to(Stage.PROOF, people=4)

    assert names_on(sandbox.order()) == names_of(hands, mailing_id)
    assert hands.pen.mailing(mailing_id).accepted == 4


def test_an_order_that_never_comes_out_right_ends_with_a_person_and_the_facts(
    hands: Any, sandbox: Any
) -> None:
    sandbox.fail("append_recipients", "partial", fraction=0.5, silent=True)

    row = hands.to_the_end(hands.to(Stage.ATTACH, people=4))

    assert (row.state, row.reason_code) == (State.ATTENTION, "recipients_differ")
    assert "holds 2 recipients where 4" in row.reason
    assert sandbox.calls("append_recipients") == 4


def test_a_mailing_of_which_the_vendor_takes_nobody_fails_and_leaves_no_draft(
    hands: Any, sandbox: Any, a_person: Any
) -> None:
    row = hands.to_the_end(hands.to(Stage.ATTACH, [a_person(0, last_name="Donotmail")]))

    assert (row.state, row.reason_code) == (State.FAILED, "nobody_accepted")
    assert sandbox.orders() == []


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "error_before", "too_many"])
def test_the_empty_draft_of_such_a_mailing_is_deleted_even_if_the_answer_is_lost(
    hands: Any, sandbox: Any, a_person: Any, fault: str
) -> None:
    sandbox.fail("delete_order", fault, count=1)

    row = hands.to_the_end(hands.to(Stage.ATTACH, [a_person(0, last_name="Donotmail")]))

    assert (row.state, row.reason_code) == (State.FAILED, "nobody_accepted")
    assert sandbox.orders() == []


def test_a_key_that_is_refused_meanwhile_does_not_leave_that_draft_behind(
    hands: Any, sandbox: Any, a_person: Any
) -> None:
    mailing_id = hands.to(Stage.ATTACH, [a_person(0, last_name="Donotmail")])
    vendor, key = hands.context.vendor, b"LL-API-revoked"
    real = vendor._calls.transport._headers
    with hands.while_calling(mailing_id, "list_recipients"):
        vendor._calls.transport._headers = [
            (name, key if name == b"x-api-key" else value) for name, value in real
        ]
    vendor._calls.transport._headers = real
    assert hands.pen.mailing(mailing_id).state is State.QUEUED

    row = hands.to_the_end(mailing_id)

    assert row.state is State.FAILED
    assert sandbox.orders() == []


def test_a_stranger_on_our_order_is_found_and_the_order_filled_anew(
    hands: Any, sandbox: Any, somebody: Any
) -> None:
    mailing_id = hands.to(Stage.ATTACH, people=2)
    with hands.while_calling(mailing_id, "append_recipients"):
        hands.context.vendor.append_recipients(hands.pen.mailing(mailing_id).order_id, [somebody])

    hands.on_to(Stage.PROOF, mailing_id)

    assert names_on(sandbox.order()) == names_of(hands, mailing_id)


def test_an_order_that_somebody_deleted_ends_with_a_person(hands: Any) -> None:
    mailing_id = hands.to(Stage.ATTACH)
    hands.context.vendor.delete_order(hands.pen.mailing(mailing_id).order_id)

    row = hands.to_the_end(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, "order_gone")


@pytest.mark.usefixtures("pages_of_two")
@pytest.mark.parametrize("everything", [True, False])
def test_a_pause_between_two_pages_holds_and_goes_on_with_the_next_page(
    hands: Any, sandbox: Any, campaign: int, *, everything: bool
) -> None:
    paused = None if everything else campaign
    mailing_id = hands.to(Stage.ATTACH, people=5, campaign_id=campaign, batch=0)
    with hands.while_calling(mailing_id, "append_recipients"), hands.context.engine.begin() as connection:
        assert transitions.pause(connection, paused, hands.clock.at)
    for _ in range(3):
        hands.step(mailing_id)
    assert len(sandbox.order()["recipients"]) == hands.pen.mailing(mailing_id).cursor == 2

    with hands.context.engine.begin() as connection:
        assert transitions.unpause(connection, paused, hands.clock.at, hands.context.redispatch_after)
    hands.on_to(Stage.PROOF, mailing_id)

    assert names_on(sandbox.order()) == names_of(hands, mailing_id)
    assert sandbox.calls("append_recipients") == 3
    assert sandbox.calls("delete_recipients") == 0


@pytest.mark.usefixtures("pages_of_two")
def test_pages_stay_together_at_a_vendor_whose_plain_put_replaces(hands: Any, sandbox: Any) -> None:
    sandbox.set(replaceOnPut=True)

    mailing_id = hands.to(Stage.PROOF, people=5)

    assert names_on(sandbox.order()) == names_of(hands, mailing_id)


def test_a_busy_vendor_is_waited_for_between_pages(hands: Any, sandbox: Any) -> None:
    sandbox.fail("append_recipients", "too_many", count=2)

    mailing_id = hands.to(Stage.PROOF, people=2)

    assert names_on(sandbox.order()) == names_of(hands, mailing_id)
    assert "unsure" not in hands.pen.moves(mailing_id)


def test_merge_fields_and_the_email_reach_the_vendor(hands: Any, sandbox: Any, a_person: Any) -> None:
    hands.to(Stage.PROOF, [a_person(0, merge={"custom1": "Hello"}, email="first@example.org")])

    (person,) = sandbox.order()["recipients"]
    assert person["metadata"] == {"custom1": "Hello", "email": "first@example.org"}


@pytest.mark.parametrize("people", [1, 5])
@pytest.mark.usefixtures("pages_of_two")
def test_without_the_append_alias_an_order_is_filled_by_the_canonical_call(
    hands: Any, sandbox: Any, people: int
) -> None:
    sandbox.set(appendAlias=False)

    row = hands.to_the_end(hands.new_mailing(people))

    assert (row.state, row.accepted) == (State.SENT, people)
    assert len(sandbox.order()["recipients"]) == people
    paths = [call.path for call in hands.journal(row.id) if call.operation == "append_recipients"]
    # The alias is asked for once by a process, and never again.
    assert [path.endswith(":append") for path in paths].count(True) == 1


@pytest.mark.usefixtures("pages_of_two")
def test_a_put_that_replaces_never_leaves_an_order_with_a_part_of_its_people(
    hands: Any, sandbox: Any
) -> None:
    sandbox.set(appendAlias=False, replaceOnPut=True)

    row = hands.to_the_end(hands.new_mailing(5))

    assert (row.state, row.reason_code) == (State.ATTENTION, "recipients_replaced")
    assert sandbox.ledger()["totals"]["charged"] in (0, "0", "0.00")
    assert sandbox.calls("delete_recipients") == 0


@pytest.mark.usefixtures("pages_of_two")
def test_a_put_that_replaces_does_for_an_order_of_one_page(hands: Any, sandbox: Any) -> None:
    sandbox.set(appendAlias=False, replaceOnPut=True)

    row = hands.to_the_end(hands.new_mailing(2))

    assert (row.state, row.accepted) == (State.SENT, 2)


def test_an_order_that_is_gone_does_not_pass_for_a_missing_alias(hands: Any) -> None:
    mailing_id = hands.to(Stage.ATTACH)
    hands.context.vendor.delete_order(hands.pen.mailing(mailing_id).order_id)
    hands.deliver(mailing_id)

    row = hands.to_the_end(hands.new_mailing(1, batch=1))

    paths = [call.path for call in hands.journal(row.id) if call.operation == "append_recipients"]
    assert [path.endswith(":append") for path in paths] == [True]


@pytest.mark.usefixtures("pages_of_two")
def test_a_vendor_that_never_answers_for_a_page_is_handed_every_page_once(hands: Any, sandbox: Any) -> None:
    sandbox.fail("append_recipients", "cut_after")

    mailing_id = hands.to(Stage.PROOF, people=21)

    assert names_on(sandbox.order()) == names_of(hands, mailing_id)
    assert (sandbox.calls("append_recipients"), sandbox.calls("delete_recipients")) == (11, 0)


def test_a_page_without_an_answer_of_which_some_are_refused_is_handed_over_in_smaller_pages(
    hands: Any, sandbox: Any, a_person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.stages.recipient_pages.MAX_RECIPIENTS", 4)
    sandbox.fail("append_recipients", "cut_after", count=1)
    people = [a_person(0), a_person(1, last_name="Donotmail"), a_person(2), a_person(3)]

    row = hands.pen.mailing(mailing_id := hands.to(Stage.PROOF, people))

    assert (row.accepted, row.rejected) == (3, 1)
    assert names_on(sandbox.order()) == ["First0", "First2", "First3"]
    assert hands.pen.recipients(mailing_id)[1].outcome is Outcome.REJECTED
    assert sandbox.calls("append_recipients") == 5


def test_who_is_suppressed_while_a_page_is_in_doubt_does_not_stay_on_the_order(
    hands: Any, sandbox: Any, a_person: Any
) -> None:
    sandbox.fail("append_recipients", "cut_after", count=1)
    mailing_id = hands.to(Stage.ATTACH, [a_person(0), a_person(1)])
    hands.step(mailing_id)
    with hands.context.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE recipient SET person_digest = digest WHERE position = 1; "
            "INSERT INTO suppression (list, digest, mark, added_at, added_by, source) "
            "SELECT 'do-not-mail', digest, 'person', now(), 'test', 'test' FROM recipient WHERE position = 1"
        )

    row = hands.to_the_end(mailing_id)

    assert (row.state, row.accepted) == (State.SENT, 1)
    assert names_on(sandbox.order()) == ["First0"]
