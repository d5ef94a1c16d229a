"""The evidence of one mailing in one bundle: who agreed to what, what was asked and answered, what was paid.

A JSON document of chained entries and the proofs as PDF files. No name, address or text of the vendor's that could
quote one is in it: people are the vendor's numbers for them, and the proof shows the first of them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, FromClause, Row, select

from models import (
    AcceptedDifference,
    ApprovalDecision,
    Charge,
    DeliveryOptionRow,
    Mailing,
    Outcome,
    Proof,
    Quote,
    QuoteLine,
    Recipient,
    Reservation,
    StateChange,
    VendorCall,
)
from worker.audit import hash_chain
from worker.audit.hash_chain import Entry
from worker.recipients.digest import recipients_digest

DOCUMENT: Final = "evidence.json"
FORMAT: Final = "mailrun-evidence-1"
# A word or two of the vendor's names nobody, and would be found in the middle of other words.
_SHORT: Final = 3
WITHHELD: Final = "[words of LettrLabs withheld]"
# Each table whose rows are about one mailing, with the column that says when.
_ROWS: Final = {
    "quote": (Quote.__table__, "taken_at"),
    "choice": (DeliveryOptionRow.__table__, "taken_at"),
    "approval": (ApprovalDecision.__table__, "at"),
    "accepted_difference": (AcceptedDifference.__table__, "at"),
    "reservation": (Reservation.__table__, "reserved_at"),
    "call": (VendorCall.__table__, "started_at"),
    "charge": (Charge.__table__, "recorded_at"),
    "event": (StateChange.__table__, "at"),
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of a bundle by their names, and the head of its chain."""

    files: dict[str, bytes]
    head: str


class InvalidBundleError(Exception):
    """The files are no evidence of Mailrun's, or of a version that this one does not know."""


def export_bundle(connection: Connection, mailing_id: int) -> Bundle | None:
    """Return the evidence of a mailing as it stands, None if there is no such mailing.

    It depends on nothing but the mailing: gathered twice without a change in between, it has the same head.
    """
    row = connection.execute(select(*Mailing.__table__.columns).where(Mailing.id == mailing_id)).one_or_none()
    if row is None:
        return None
    proofs = _proofs(connection, mailing_id, row.proof_sha256)
    entries = [
        _entry("mailing", row.created_at, _columns(row)),
        _entry("recipients", row.created_at, _people(connection, mailing_id)),
        *(
            _entry("proof", seen, {"file": name, "sha256": _hash(pdf)})
            for name, (pdf, seen) in proofs.items()
        ),
        *sorted(_history(connection, mailing_id), key=lambda entry: str(entry["at"])),
    ]
    latest = max([_plain(row.updated_at), *(entry["at"] for entry in entries)])
    header = {"format": FORMAT, "mailing": mailing_id, "made_at": latest}
    chained = hash_chain.link(header, _without_words(connection, mailing_id, entries))
    head = hash_chain.head(header, chained)
    document = {**header, "entries": chained, "head": head}
    text = json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
    return Bundle({DOCUMENT: text, **{name: pdf for name, (pdf, _) in proofs.items()}}, head)


def verify_bundle(files: Mapping[str, bytes]) -> tuple[str, list[str]]:
    """Return the head of a bundle and, a sentence each, what of it is not as it was made; raises NotABundle."""
    document = _document(files)
    header = {name: document[name] for name in ("format", "mailing", "made_at")}
    entries: list[Entry] = document["entries"]
    found = []
    broken = hash_chain.first_mismatch(header, entries)
    if broken is not None:
        found.append(f"entry {broken} of {len(entries)}, or what stands before it, was changed")
    elif hash_chain.head(header, entries) != document["head"]:
        found.append("the head is not that of the entries: some were cut off")
    found += [*_wrong_files(entries, files), *_wrong_people(entries)]
    return str(document["head"]), found


def _document(files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        document = json.loads(files[DOCUMENT])
        shape = document["format"], document["mailing"], document["made_at"], document["head"]
        entries = document["entries"]
    except (KeyError, TypeError, ValueError):
        raise InvalidBundleError(f"no {DOCUMENT} of Mailrun's is in it") from None
    if shape[0] != FORMAT or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidBundleError(f"{DOCUMENT} is not in the format {FORMAT}")
    return dict(document)


def _wrong_files(entries: list[Entry], files: Mapping[str, bytes]) -> Iterator[str]:
    for entry in entries:
        if entry.get("kind") != "proof":
            continue
        name, expected = entry["about"]["file"], entry["about"]["sha256"]
        if name not in files:
            yield f"{name} is missing"
        elif _hash(files[name]) != expected:
            yield f"{name} is not the proof that the entries name"


def _wrong_people(entries: list[Entry]) -> Iterator[str]:
    about = {entry.get("kind"): entry.get("about", {}) for entry in entries[:2]}
    digest = about.get("mailing", {}).get("recipients_digest")
    people = about.get("recipients", {}).get("people", [])
    accepted = [one["vendor_id"] for one in people if one["outcome"] == Outcome.ACCEPTED]
    if digest is not None and recipients_digest(accepted).hex() != digest:
        yield "the accepted recipients are not those of the digest"


def _history(connection: Connection, mailing_id: int) -> Iterator[Entry]:
    for kind, (table, time) in _ROWS.items():
        for row in _rows(connection, table, mailing_id):
            about = _columns(row)
            if kind == "quote":
                about["lines"] = _lines(connection, row.id)
            yield _entry(kind, getattr(row, time), about)


def _rows(connection: Connection, table: FromClause, mailing_id: int) -> list[Row[Any]]:
    query = select(*table.columns).where(table.c.mailing_id == mailing_id)
    return list(connection.execute(query.order_by(*table.primary_key)))


def _lines(connection: Connection, quote_id: int) -> list[dict[str, Any]]:
    columns = QuoteLine.__table__.columns
    rows = connection.execute(select(*columns).where(columns.quote_id == quote_id).order_by(columns.position))
    return [_columns(row) for row in rows]


def _people(connection: Connection, mailing_id: int) -> dict[str, Any]:
    rows = connection.execute(
        select(Recipient.position, Recipient.vendor_id, Recipient.outcome)
        .where(Recipient.mailing_id == mailing_id)
        .order_by(Recipient.position)
    )
    return {"people": [_columns(row) for row in rows]}


def _proofs(
    connection: Connection, mailing_id: int, current: bytes | None
) -> dict[str, tuple[bytes, datetime]]:
    """Return the proofs that a mailing has, or was approved with, by the names of their files."""
    approved = connection.scalars(
        select(ApprovalDecision.proof_sha256).where(ApprovalDecision.mailing_id == mailing_id).distinct()
    )
    wanted = {digest for digest in (current, *approved) if digest is not None}
    rows = connection.execute(
        select(Proof.sha256, Proof.pdf, Proof.first_seen)
        .where(Proof.sha256.in_(wanted))
        .order_by(Proof.first_seen)
    )
    return {f"proof-{row.sha256.hex()[:16]}.pdf": (row.pdf, row.first_seen) for row in rows}


def _without_words(connection: Connection, mailing_id: int, entries: list[Entry]) -> list[Entry]:
    """Take out what the vendor said in its own words, wherever it is quoted: it may name a person."""
    said = connection.scalars(
        select(VendorCall.words)
        .where(VendorCall.mailing_id == mailing_id, VendorCall.words.is_not(None))
        .distinct()
    )
    # The longest first: one may be the beginning of another.
    words = sorted((text for text in said if text and len(text) > _SHORT), key=len, reverse=True)
    return [_masked(entry, words) for entry in entries]


def _masked(value: Any, words: list[str]) -> Any:  # noqa: ANN401 - whatever JSON holds
    match value:
        case str():
            for text in words:
                value = value.replace(text, WITHHELD)
            return value
        case dict():
            return {name: _masked(member, words) for name, member in value.items()}
        case list():
            return [_masked(member, words) for member in value]
        case _:
            return value


def _entry(kind: str, at: datetime, about: dict[str, Any]) -> Entry:
    return {"kind": kind, "at": _plain(at), "about": about}


def _columns(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    columns: dict[str, Any] = _plain(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name
    return columns


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Return a value as it comes back out of JSON: only so is its hash the same then."""
    return json.loads(json.dumps(value, default=_as_text))


def _as_text(value: object) -> str:
    match value:
        case datetime():
            return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _:
            return str(value)


def _hash(pdf: bytes) -> str:
    return sha256(pdf).hexdigest()
