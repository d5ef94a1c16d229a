"""The bundle of evidence: all that happened, nobody's name, and no edit that does not show."""

import json
from typing import Any

import pytest

from models import Approval, Stage, State
from worker.audit import evidence_bundle, hash_chain
from worker.audit.evidence_bundle import DOCUMENT, InvalidBundleError


@pytest.fixture
def gathered(hands: Any, people: Any) -> Any:
    """Return the evidence of a mailing that was approved, refused once in the vendor's own words, and paid."""
    mailing_id = hands.to(Stage.CHECKOUT, approval=Approval.REQUIRED)
    people.approve(mailing_id, "Grace")
    assert hands.to_the_end(mailing_id).state is State.SENT
    with people.engine.connect() as connection:
        return evidence_bundle.export_bundle(connection, mailing_id)


def document(gathered: Any) -> Any:
    return json.loads(gathered.files[DOCUMENT])


def about(gathered: Any, kind: str) -> list[Any]:
    return [entry["about"] for entry in document(gathered)["entries"] if entry["kind"] == kind]


def test_it_tells_who_approved_what_and_what_was_asked_answered_and_paid(gathered: Any) -> None:
    (mailing,), (approval,), (charge,) = (about(gathered, kind) for kind in ("mailing", "approval", "charge"))
    calls = {call["operation"]: call for call in about(gathered, "call")}

    assert approval["who"] == "Grace"
    assert approval["total"] == mailing["quoted"] == mailing["charged"]
    assert approval["recipients_digest"] == mailing["recipients_digest"]
    assert charge["vendor_id"]
    assert calls["checkout"]["request"]["postage_type"] == "Standard"
    assert calls["checkout"]["answer"]["order_status"] == "Payment Needed"
    assert calls["checkout"]["request_id"]
    assert calls["order"]["answer"]["order_status"] == "Paid"
    assert about(gathered, "quote")[0]["lines"]
    assert [event["move"] for event in about(gathered, "event")][-1] == "send"
    assert any(name.endswith(".pdf") for name in gathered.files)


def test_it_names_nobody(hands: Any, gathered: Any) -> None:
    text = gathered.files[DOCUMENT].decode()

    assert not [
        word
        for word in (
            "First0",
            "Last0",
            "Main Street",
            "Springfield",
            hands.context.settings.api_key.get_secret_value(),
        )
        if word in text
    ]


def test_the_vendors_own_words_are_withheld_wherever_they_are_quoted(hands: Any, people: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    order = hands.pen.mailing(mailing_id).order_id
    hands.context.vendor.delete_order(order)
    hands.to_the_end(mailing_id)
    secret = "Last0 of 100 Main Street is not known here"  # noqa: S105 - no password
    hands.pen.forge(mailing_id, reason=f"LettrLabs refused (400): {secret}")
    with people.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE vendor_call SET words = %s WHERE operation = 'order'", (secret,))
        made = evidence_bundle.export_bundle(connection, mailing_id)

    assert made is not None
    assert secret not in made.files[DOCUMENT].decode()
    assert evidence_bundle.WITHHELD in about(made, "mailing")[0]["reason"]


def test_untouched_it_verifies(gathered: Any) -> None:
    assert evidence_bundle.verify_bundle(gathered.files) == (gathered.head, [])


def edited(gathered: Any, change: Any) -> dict[str, bytes]:
    changed = document(gathered)
    change(changed)
    return {**gathered.files, DOCUMENT: json.dumps(changed).encode()}


def entry_of(document: Any, kind: str) -> Any:
    return next(entry for entry in document["entries"] if entry["kind"] == kind)


EDITS = {
    "another approver": lambda made: entry_of(made, "approval")["about"].update(who="Mallory"),
    "another amount": lambda made: entry_of(made, "charge")["about"].update(amount="0.01"),
    "another time": lambda made: entry_of(made, "event").update(at="2020-01-01T00:00:00+00:00"),
    "an entry left out": lambda made: made["entries"].remove(entry_of(made, "call")),
    "the last entry cut off": lambda made: made["entries"].pop(),
    "two entries swapped": lambda made: made["entries"].insert(2, made["entries"].pop(3)),
    "another mailing": lambda made: made.update(mailing=99),
    "a member added": lambda made: made["entries"][0].update(more=1),
}


@pytest.mark.parametrize("edit", EDITS)
def test_every_edit_shows(gathered: Any, edit: str) -> None:
    assert evidence_bundle.verify_bundle(edited(gathered, EDITS[edit]))[1]


def test_a_proof_that_was_exchanged_shows(gathered: Any) -> None:
    pdf = next(name for name in gathered.files if name.endswith(".pdf"))

    assert "not the proof" in evidence_bundle.verify_bundle({**gathered.files, pdf: b"%PDF-1.7"})[1][0]
    assert "missing" in evidence_bundle.verify_bundle({DOCUMENT: gathered.files[DOCUMENT]})[1][0]


def test_who_computes_the_whole_chain_anew_is_given_away_by_the_head(gathered: Any) -> None:
    def forge(made: Any) -> None:
        entry_of(made, "approval")["about"].update(who="Mallory")
        header = {name: made[name] for name in ("format", "mailing", "made_at")}
        plain = [
            {name: value for name, value in entry.items() if name != "hash"} for entry in made["entries"]
        ]
        made["entries"] = hash_chain.link(header, plain)
        made["head"] = hash_chain.head(header, made["entries"])

    head, found = evidence_bundle.verify_bundle(edited(gathered, forge))

    assert found == []
    assert head != gathered.head


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"format": "other"}', b"\xff"])
def test_what_is_no_evidence_is_told_as_such(text: bytes) -> None:
    with pytest.raises(InvalidBundleError):
        evidence_bundle.verify_bundle({DOCUMENT: text})
