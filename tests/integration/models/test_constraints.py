"""What the tables refuse, whoever asks: each promise that a CHECK or a UNIQUE keeps."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from models import (
    Campaign,
    Charge,
    CreateGate,
    Installation,
    Mailing,
    OrphanOrder,
    Proof,
    Recipient,
    RejectedRow,
    Stage,
    State,
    StateChange,
    VendorCall,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUEUED = {"state": "queued", "wake_at": NOW}
WORKING = {"state": "working", "wake_at": NOW, "claim": uuid4(), "lease_until": NOW}
ASLEEP = {"wake_at": None, "claim": None, "lease_until": None}
AT_CHECKOUT = {"stage": "checkout", "order_id": 7}
AT_SETTLE = {"stage": "settle", "order_id": 7}
REASON = {"reason": "because"}


def add(connection: Connection, **values: Any) -> int:
    row = {
        "key": "mailing",
        "request_digest": b"digest",
        "priority": 5,
        "not_before": NOW,
        "wake_at": NOW,
        "template_id": 1001,
        "postage": "Standard",
        "speed": "Normal",
        "auto_bill": True,
        "approval": "auto",
        "size": 3,
        **values,
    }
    number: int = connection.execute(insert(Mailing.__table__).values(row).returning(Mailing.id)).scalar_one()
    return number


def campaign(connection: Connection, key: str = "campaign", **values: Any) -> int:
    row = {"request_digest": b"d", "name": "C", "rows": 3, "people": 2, "rejected": 1, "mailings": 1}
    return connection.execute(
        insert(Campaign).values({"key": key, **row, **values}).returning(Campaign.id)
    ).scalar_one()


@pytest.mark.parametrize(
    "row",
    [
        QUEUED,
        WORKING,
        {"state": "approval", **ASLEEP, **AT_CHECKOUT},
        {"state": "attention", **ASLEEP, **REASON},
        {"state": "sent", **ASLEEP, **AT_SETTLE},
        {"state": "failed", **ASLEEP, **REASON},
        {"state": "cancelled", **ASLEEP},
        {**QUEUED, "recovering": True, "unsure_since": NOW},
        {**QUEUED, "cursor": 3},
    ],
    ids=lambda row: str(row["state"]),
)
def test_a_row_as_it_should_be_is_taken(connection: Connection, row: dict[str, Any]) -> None:
    assert add(connection, **row)


@pytest.mark.parametrize(
    ("promise", "row"),
    [
        ("working_is_claimed", {**WORKING, "claim": None, "lease_until": None}),
        ("working_is_claimed", {**WORKING, "lease_until": None}),
        ("working_is_claimed", {**WORKING, "state": "queued"}),
        ("working_is_claimed", {**WORKING, "state": "attention", **REASON}),
        ("unfinished_wakes", {**QUEUED, "wake_at": None}),
        ("unfinished_wakes", {**WORKING, "wake_at": None}),
        ("unfinished_wakes", {"state": "sent", "wake_at": NOW, **AT_SETTLE}),
        ("unfinished_wakes", {"state": "failed", "wake_at": NOW, **REASON}),
        ("unfinished_wakes", {"state": "cancelled", "wake_at": NOW}),
        *(
            ("order_after_create", {**QUEUED, "stage": stage.value})
            for stage in Stage
            if stage is not Stage.CREATE
        ),
        ("sent_after_settle", {"state": "sent", **ASLEEP, **AT_CHECKOUT}),
        ("ends_with_reason", {"state": "attention", **ASLEEP}),
        ("ends_with_reason", {"state": "failed", **ASLEEP}),
        ("approval_before_checkout", {"state": "approval", **ASLEEP, **AT_SETTLE}),
        ("unsure_since_when", {**QUEUED, "recovering": True}),
        ("cursor_within_size", {**QUEUED, "cursor": 4}),
        ("cursor_within_size", {**QUEUED, "cursor": -1}),
        ("cursor_within_size", {**QUEUED, "size": 0}),
        ("stage", {**QUEUED, "stage": "mail", "order_id": 7}),
        ("state", {**QUEUED, "state": "lost"}),
        ("approval", {**QUEUED, "approval": "perhaps"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_row_that_breaks_a_promise_is_refused(
    connection: Connection, promise: str, row: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError) as refused:
        add_raw(connection, row)

    assert f'"ck_mailing_{promise}"' in str(refused.value)


def add_raw(connection: Connection, row: dict[str, Any]) -> None:
    """Write past the model's own enums, as any other program might."""
    words = {name: row.pop(name) for name in ("stage", "state", "approval") if name in (row := dict(row))}
    columns = {
        "key": "mailing",
        "request_digest": b"digest",
        "priority": 5,
        "not_before": NOW,
        "template_id": 1001,
        "postage": "Standard",
        "speed": "Normal",
        "auto_bill": True,
        "approval": "auto",
        "size": 3,
    }
    values = columns | row | words
    names = ", ".join(values)
    places = ", ".join(f"%({name})s" for name in values)
    statement = f"INSERT INTO mailing ({names}) VALUES ({places})"  # noqa: S608 - names of this file
    connection.exec_driver_sql(statement, values)


@pytest.mark.parametrize(
    ("promise", "columns"),
    [
        ("uq_mailing_key", {"key": "same"}),
        ("uq_mailing_order_id", {"order_id": 7}),
    ],
)
def test_a_second_mailing_with_the_same_key_or_order_is_refused(
    connection: Connection, promise: str, columns: dict[str, Any]
) -> None:
    add(connection, **{"key": "one", **columns})

    with pytest.raises(IntegrityError, match=promise):
        add(connection, **{"key": "other", **columns})


def test_a_second_mailing_for_the_same_batch_of_a_campaign_is_refused(connection: Connection) -> None:
    first, second = campaign(connection), campaign(connection, "other")
    add(connection, key="a", campaign_id=first, batch=1)
    add(connection, key="b", campaign_id=first, batch=2)
    add(connection, key="c", campaign_id=second, batch=1)

    with pytest.raises(IntegrityError, match="uq_mailing_campaign_id_batch"):
        add(connection, key="d", campaign_id=first, batch=1)


def test_a_second_campaign_with_the_same_key_is_refused(connection: Connection) -> None:
    campaign(connection)

    with pytest.raises(IntegrityError, match="uq_campaign_key"):
        campaign(connection)


def test_a_campaign_whose_rows_do_not_add_up_is_refused(connection: Connection) -> None:
    with pytest.raises(IntegrityError, match="ck_campaign_rows_add_up"):
        campaign(connection, rows=4)


def test_two_recipients_in_one_place_are_refused(connection: Connection) -> None:
    mailing = add(connection)
    row = {"mailing_id": mailing, "position": 0, "digest": b"d", "address1": "1 Main", "city": "X"}
    row |= {"state": "IL", "zip_code": "62701"}
    connection.execute(insert(Recipient).values(row))

    with pytest.raises(IntegrityError, match="pk_recipient"):
        connection.execute(insert(Recipient).values(row))


def test_a_transaction_of_the_vendor_is_recorded_once(connection: Connection) -> None:
    charge = {"mailing_id": add(connection), "vendor_id": 9, "amount": 1, "is_credit": False}
    connection.execute(insert(Charge).values(charge))

    with pytest.raises(IntegrityError, match="uq_charge_mailing_id_vendor_id"):
        connection.execute(insert(Charge).values(charge))


def test_a_proof_under_another_name_than_its_hash_is_refused(connection: Connection) -> None:
    connection.execute(insert(Proof).values(sha256=sha256(b"%PDF").digest(), pdf=b"%PDF"))

    with pytest.raises(IntegrityError, match="ck_proof_name_is_its_hash"):
        connection.execute(insert(Proof).values(sha256=sha256(b"%PDF").digest()[::-1], pdf=b"%PDF"))


def test_a_mailing_cannot_name_a_proof_that_is_not_kept(connection: Connection) -> None:
    add(connection, proof_sha256=b"nothing")

    with pytest.raises(IntegrityError, match="fk_mailing_proof_sha256_proof"):
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("table", [Installation, CreateGate])
def test_there_is_one_installation_and_one_gate(connection: Connection, table: type[Any]) -> None:
    assert connection.scalars(select(table.id)).all() == [1]
    for number, promise in ((1, "pk_"), (2, "only_one")):
        with pytest.raises(IntegrityError, match=promise), connection.begin_nested():
            connection.execute(insert(table).values(id=number))


def test_a_strays_fate_is_one_of_the_known(connection: Connection) -> None:
    values = "VALUES (7, %(fate)s, 'why', now(), now())"
    statement = f"INSERT INTO stray (order_id, fate, why, first_seen, last_seen) {values}"
    with pytest.raises(IntegrityError, match="ck_stray_fate"):
        connection.exec_driver_sql(statement, {"fate": "forgotten"})


def test_what_belongs_to_a_mailing_goes_with_it(connection: Connection) -> None:
    mailing = add(connection)
    row = {"mailing_id": mailing, "position": 0, "digest": b"d", "address1": "1 Main", "city": "X"}
    connection.execute(insert(Recipient).values({**row, "state": "IL", "zip_code": "62701"}))
    connection.execute(insert(Charge).values(mailing_id=mailing, amount=1, is_credit=False))
    event = {"at": NOW, "move": "wait", "stage": "create", "state": "queued", "actor": "me", "detail": {}}
    connection.execute(insert(StateChange).values(mailing_id=mailing, **event))
    call = {"operation": "x", "method": "GET", "path": "/", "request": {}, "outcome": "read"}
    connection.execute(insert(VendorCall).values(mailing_id=mailing, started_at=NOW, elapsed_ms=1, **call))

    connection.execute(Mailing.__table__.delete().where(Mailing.id == mailing))

    for table in (Recipient, Charge, StateChange, VendorCall):
        assert connection.execute(select(table.__table__)).all() == []


def test_a_rejected_row_is_told_once(connection: Connection) -> None:
    row = {"campaign_id": campaign(connection), "row": 3, "code": "zip", "reason": "no ZIP code"}
    connection.execute(insert(RejectedRow).values(row))

    with pytest.raises(IntegrityError, match="pk_rejected_row"):
        connection.execute(insert(RejectedRow).values(row))


def test_money_keeps_its_cents(connection: Connection) -> None:
    mailing = add(connection, quoted="12345678.9100")
    connection.execute(update(Mailing).where(Mailing.id == mailing).values(charged=Mailing.quoted / 3))

    quoted, charged = connection.execute(select(Mailing.quoted, Mailing.charged)).one()

    assert (str(quoted), str(charged)) == ("12345678.9100", "4115226.3033")


def test_a_new_mailing_has_no_past(connection: Connection) -> None:
    mailing = add(connection)

    row = connection.execute(select(*Mailing.__table__.columns).where(Mailing.id == mailing)).one()

    assert (row.stage, row.state) == (Stage.CREATE, State.QUEUED)
    assert (row.attempts, row.waits, row.resends, row.cursor, row.accepted, row.rejected) == (0,) * 6
    assert (row.recovering, row.cancel_requested) == (False, False)


def test_a_strays_key_is_its_order(connection: Connection) -> None:
    stray = {"order_id": 7, "fate": "seen", "why": "x", "first_seen": NOW, "last_seen": NOW}
    connection.execute(insert(OrphanOrder.__table__).values(stray))

    with pytest.raises(IntegrityError, match="pk_stray"):
        connection.execute(insert(OrphanOrder.__table__).values(stray))


def test_no_recipient_shows_a_person_when_printed() -> None:
    person = Recipient(mailing_id=1, position=0, first_name="Ada", address1="1 Main Street")

    assert "Ada" not in repr(person)
    assert "Main" not in repr(person)
