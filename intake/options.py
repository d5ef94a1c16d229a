"""What a submission may ask for: template, postage, speed, approval, and the key that makes it one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from intake.errors import ErrorCode, IntakeError
from intake.recipients.strictness import Strictness
from models import Approval
from worker.billing.amounts import require_money
from worker.billing.budget_limits import NO_LIMITS, Limits
from worker.recipients.policy import DO_NOT_MAIL_ONLY, RecipientPolicy
from worker.scheduling.schedule import SEND_NOW, Schedule

OWN_KEYS: Final = "campaign:"
"""The keys of a campaign's mailings begin so; nobody else's may."""
RESERVED_KEYS: Final = (OWN_KEYS, "event:", "gathering:")
"""The last two begin the keys of mailings that events make."""

LONGEST_WORD: Final = 200
"""Characters of a key or a name: far more than one needs, and a list of them can still be read."""


class Postage(StrEnum):
    """Postage that LettrLabs takes."""

    STANDARD = "Standard"
    FIRST_CLASS = "FirstClass"


class Speed(StrEnum):
    """Production speeds that LettrLabs takes."""

    NORMAL = "Normal"
    EXPEDITED_FASTER = "ExpeditedFaster"
    EXPEDITED_FASTEST = "ExpeditedFastest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How mailings are sent. Raises IntakeError for a template that cannot exist."""

    template_id: int
    postage: Postage = Postage.STANDARD
    speed: Speed = Speed.NORMAL
    approval: Approval = Approval.AUTO
    approval_over: Decimal | None = None
    limits: Limits = NO_LIMITS
    auto_bill: bool = True
    schedule: Schedule = SEND_NOW
    sparing: RecipientPolicy = DO_NOT_MAIL_ONLY
    strictness: Strictness = Strictness.NORMAL

    def __post_init__(self) -> None:
        if self.template_id < 1:
            raise IntakeError(
                ErrorCode.BAD_OPTION, "The template must be the number of one of your templates."
            )
        if (self.approval is Approval.OVER) != (self.approval_over is not None):
            raise IntakeError(
                ErrorCode.BAD_OPTION, "Approval over an amount needs the amount, and nothing else does."
            )
        try:
            require_money(self.approval_over)
        except ValueError as error:
            raise IntakeError(ErrorCode.BAD_OPTION, f"The amount to approve {error}.") from None

    def told(self) -> dict[str, Any]:
        """Return the options as JSON knows them."""
        return {
            "template": self.template_id,
            "postage": self.postage.value,
            "speed": self.speed.value,
            "approval": self.approval.value,
            **self._money_told(),
            "auto_bill": self.auto_bill,
            # Left out where there is none, so that what was submitted before there were times is still the same.
            **({"schedule": self.schedule.told()} if self.schedule.told() else {}),
            **self.sparing.told(),
            **({} if self.strictness is Strictness.NORMAL else {"strictness": self.strictness.value}),
        }

    def _money_told(self) -> dict[str, Any]:
        """Return what was not always there to say, and is left out where it says nothing."""
        limits = {name: f"{amount:.4f}" for name, amount in self.limits.given.items()}
        over = {} if self.approval_over is None else {"approval_over": f"{self.approval_over:.4f}"}
        return {**over, **({"limits": limits} if limits else {})}


def digest_of_request(request: Mapping[str, Any]) -> bytes:
    """Return 32 bytes that differ when any part of a request, given as JSON knows it, differs."""
    return blake2b(json.dumps(request, sort_keys=True).encode(), digest_size=32).digest()


def require_usable_key(key: str, *, longest: int = LONGEST_WORD) -> None:
    """Raise IntakeError for a key that is empty, too long, unprintable, or one that Mailrun gives out itself."""
    if not key.strip() or len(key) > longest or not key.isprintable() or key.startswith(RESERVED_KEYS):
        raise IntakeError(
            ErrorCode.BAD_OPTION,
            f"A key is 1 to {longest} printable characters and does not begin with {', '.join(RESERVED_KEYS)}.",
        )
