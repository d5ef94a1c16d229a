"""Triggers as they are declared: which event makes which mailing, to whom, when, and within what money."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from intake.events.conditions import Condition, Path, value_at
from intake.events.durations import QuietDay, Span, Zone, excludes_every_day
from intake.options import Postage, Speed
from intake.reasons import Reason, ReasonCode
from intake.recipients.fields import MERGE_FIELDS, NAME_FIELDS, REQUIRED_FIELDS
from intake.recipients.recipient import Recipient
from intake.recipients.strictness import Strictness
from intake.recipients.validator import AddressValidator, RecipientDraft
from intake.rfc3339 import full_date
from models import Approval, IfLate
from worker.billing.amounts import parse_amount
from worker.recipients.policy import FrequencyCap, RecipientPolicy

MOST_GATHERED: Final = 1000
"""As many as LettrLabs takes in one request; each further event waits for the next order."""


def _amount(given: object) -> object:
    """Read an amount that is written as text by the same rules as the command line."""
    return parse_amount(given) if isinstance(given, str) else given


_MONEY = Annotated[
    Decimal,
    BeforeValidator(_amount),
    Field(ge=0, le=10_000_000, max_digits=14, decimal_places=2, allow_inf_nan=False),
]
_STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class LiteralText(BaseModel):
    """Words to print as they stand, where a place in the event would be read."""

    model_config = _STRICT

    text: str = Field(min_length=1, max_length=2000)


class Limits(BaseModel):
    """What a trigger may spend; what is not said is not limited."""

    model_config = _STRICT

    total: _MONEY | None = None
    per_day: _MONEY | None = None
    per_month: _MONEY | None = None
    per_piece: _MONEY | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> "Limits":
        if not self.model_fields_set:
            raise ValueError("limits nothing: name total, per_day, per_month or per_piece")
        return self


class BatchRule(BaseModel):
    """Until when events are gathered into one order: whichever comes first."""

    model_config = _STRICT

    count: int = Field(MOST_GATHERED, ge=1, le=MOST_GATHERED, strict=True)
    age: Span | None = None
    mail_by: date | Path | None = None

    @model_validator(mode="after")
    def _ends_some_time(self) -> "BatchRule":
        if self.age is None and self.mail_by is None:
            raise ValueError(
                "needs an age or a mail_by date: without one, the last events would wait for ever"
            )
        return self


class ApprovalThreshold(BaseModel):
    """Approval that is asked for from an amount on."""

    model_config = _STRICT

    over: _MONEY


def _approval(given: object) -> object:
    if isinstance(given, dict | ApprovalThreshold) or (
        isinstance(given, str) and given in set(Approval) - {Approval.OVER}
    ):
        return given
    raise ValueError('must be "auto", "required" or an amount such as { over = 50.00 }')


def _cap(given: str) -> str:
    return str(FrequencyCap.parse(given))


class TriggerDefinition(BaseModel):
    """One trigger, as declared."""

    model_config = _STRICT

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    on: str = Field(min_length=1, max_length=200)
    when: dict[Path, Condition] = Field(default_factory=dict)
    template: int = Field(ge=1, lt=2**31, strict=True)
    postage: Postage = Postage.STANDARD
    speed: Speed = Speed.NORMAL
    approval: Annotated[
        ApprovalThreshold | Literal[Approval.AUTO, Approval.REQUIRED], BeforeValidator(_approval)
    ] = Approval.AUTO
    auto_bill: bool = Field(default=True, strict=True)
    budget: Limits | None = None
    delay: Span | None = None
    quiet_days: tuple[QuietDay, ...] = Field((), max_length=400)
    zone: Zone | None = None
    if_late: IfLate = IfLate.ASK
    gather: BatchRule | None = None
    strictness: Strictness = Strictness.NORMAL
    suppress: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field((), max_length=20)
    cap: Annotated[str, AfterValidator(_cap)] | None = None
    one_per_household: bool = Field(default=False, strict=True)
    recipient: dict[str, Path | LiteralText]
    merge: dict[str, Path | LiteralText] = Field(default_factory=dict)

    @field_validator("recipient")
    @classmethod
    def _names_a_person_at_an_address(
        cls, mapping: dict[str, Path | LiteralText]
    ) -> dict[str, Path | LiteralText]:
        _require_known(mapping, RecipientDraft._fields)
        missing = [field.value for field in REQUIRED_FIELDS if field not in mapping]
        if missing:
            raise ValueError(f"says nothing about {', '.join(missing)}")
        if not any(field in mapping for field in NAME_FIELDS):
            raise ValueError(f"needs one of {', '.join(NAME_FIELDS)}")
        return mapping

    @field_validator("merge")
    @classmethod
    def _prints_known_fields(cls, mapping: dict[str, Path | LiteralText]) -> dict[str, Path | LiteralText]:
        _require_known(mapping, MERGE_FIELDS)
        return mapping

    @field_validator("quiet_days")
    @classmethod
    def _leaves_a_day(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        if excludes_every_day(days):
            raise ValueError("leave no day of the week to mail on")
        return days

    @property
    def sparing(self) -> RecipientPolicy:
        """Whom its mailings spare, besides who is on do-not-mail."""
        cap = None if self.cap is None else FrequencyCap.parse(self.cap)
        return RecipientPolicy(lists=self.suppress, cap=cap, one_per_household=self.one_per_household)

    def told(self) -> dict[str, Any]:
        """Return the declaration as JSON knows it; `Declaration.model_validate` reads it back."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _require_known(mapping: Mapping[str, object], known: tuple[str, ...]) -> None:
    unknown = [name for name in mapping if name not in known]
    if unknown:
        raise ValueError(f'knows no field "{unknown[0][:40]}"; there are {", ".join(known)}')


@dataclass(frozen=True, slots=True)
class ActiveTrigger:
    """A declaration under its number and version in the database."""

    trigger_id: int
    version: int
    declared: TriggerDefinition

    def answers(self, event: Mapping[str, Any]) -> bool:
        """Return whether the event is of the trigger's type and meets its conditions."""
        return self.listens(event) and not self.unmet(event)

    def listens(self, event: Mapping[str, Any]) -> bool:
        """Return whether the event is of the trigger's type."""
        return event.get("type") == self.declared.on

    def unmet(self, event: Mapping[str, Any]) -> list[str]:
        """Return the places whose values are not as they must be."""
        return [path for path, test in self.declared.when.items() if not test.holds(event, path)]

    def recipient(self, event: Mapping[str, Any]) -> Recipient | tuple[Reason, ...]:
        """Return who is mailed, or every reason why nobody can be: each names the place, never what stands there."""
        declared = self.declared
        places = {**declared.recipient, **declared.merge}
        cells = {field: _text(event, place) for field, place in places.items()}
        odd = [field for field, cell in cells.items() if cell is None]
        if odd:
            sentence = f'The value at "{places[odd[0]]}" is an object or a list; text was expected.'
            return (Reason(ReasonCode.UNREADABLE, sentence),)
        entry = RecipientDraft(**{field: cells[field] or "" for field in declared.recipient})
        merge = {field: cell for field in declared.merge if (cell := (cells[field] or "").strip())}
        named = {field: str(place) for field, place in places.items()}
        return AddressValidator(named, declared.strictness).admit(entry, merge)

    def mail_by(self, event: Mapping[str, Any]) -> date | None:
        """Return the day by whose end the event's order must go, None if there is none or the event names none."""
        wanted = self.declared.gather and self.declared.gather.mail_by
        if not isinstance(wanted, str):
            return wanted or None
        try:
            return full_date(str(value_at(event, wanted))[:10])
        except ValueError:
            return None


def _text(event: Mapping[str, Any], place: str | LiteralText) -> str | None:
    value = place.text if isinstance(place, LiteralText) else value_at(event, place)
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str() | int() | float() | datetime():
            return str(value)
        case _:
            return None
