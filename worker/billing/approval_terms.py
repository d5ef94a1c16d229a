"""Offers: exactly what a person is asked to agree to, and what is checked once more right before checkout."""

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, TypeAlias

from sqlalchemy import Connection, select

from models import ApprovalDecision, Decision, HoldMode, Mailing

OptionValue: TypeAlias = str | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalTerms:
    """People, proof, options and price of one mailing, in the vendor's currency.

    ``recipients_digest`` is of the vendor's ids for them: an address corrected at LettrLabs afterwards is not seen.
    How much the account's credits pay is shown and not bound: it changes with every other order.
    """

    pieces: int
    recipients_digest: bytes | None
    proof_sha256: bytes | None
    options: dict[str, OptionValue]
    total: Decimal | None
    from_credits: Decimal | None = field(default=None, compare=False)

    def changes_from(self, agreed: "ApprovalTerms") -> list[str]:
        """Return in words what is not as agreed, the price aside: that may have moved within a tolerance."""
        named = {
            "the people on the order": self.recipients_digest != agreed.recipients_digest,
            "the proof": self.proof_sha256 != agreed.proof_sha256,
            "the options": self.options != agreed.options,
        }
        return [name for name, changed in named.items() if changed]


_OFFERED = (
    Mailing.accepted.label("pieces"),
    Mailing.recipients_digest,
    Mailing.proof_sha256,
    Mailing.quoted.label("total"),
    Mailing.quoted_from_credits.label("from_credits"),
    Mailing.template_id,
    Mailing.postage,
    Mailing.speed,
    Mailing.auto_bill,
    Mailing.hold_until,
    Mailing.hold_mode,
)
_DECIDED = tuple(getattr(ApprovalDecision, part.name) for part in fields(ApprovalTerms))


def current_terms(connection: Connection, mailing_id: int, *, lock: bool = False) -> ApprovalTerms | None:
    """Return what a mailing stands for now, None if there is no such mailing; `lock` keeps it so until the commit."""
    query = select(*_OFFERED).where(Mailing.id == mailing_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        return None
    return ApprovalTerms(
        pieces=row.pieces,
        recipients_digest=row.recipients_digest,
        proof_sha256=row.proof_sha256,
        options=_options(row),
        total=row.total,
        from_credits=row.from_credits,
    )


def approved_terms(connection: Connection, mailing_id: int) -> ApprovalTerms | None:
    """Return what was last agreed to, None if nothing ever was. Whether it still holds, the mailing's row says."""
    row = connection.execute(
        select(*_DECIDED)
        .where(ApprovalDecision.mailing_id == mailing_id, ApprovalDecision.verdict == Decision.APPROVED)
        .order_by(ApprovalDecision.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else ApprovalTerms(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def last_rejection(connection: Connection, mailing_id: int) -> tuple[str, str] | None:
    """Return who rejected a mailing and why, None if nobody did."""
    row = connection.execute(
        select(ApprovalDecision.who, ApprovalDecision.why)
        .where(ApprovalDecision.mailing_id == mailing_id, ApprovalDecision.verdict == Decision.REJECTED)
        .order_by(ApprovalDecision.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.who, row.why or "")


def _options(row: Any) -> dict[str, OptionValue]:  # noqa: ANN401 - a row's columns carry no types
    """Return what checkout is told. A hold that waits here is no concern of the order's."""
    held_there = row.hold_mode is HoldMode.VENDOR
    return {
        "template": row.template_id,
        "postage": row.postage,
        "speed": row.speed,
        "auto_bill": row.auto_bill,
        "hold_until": row.hold_until.isoformat() if held_there else None,
    }
