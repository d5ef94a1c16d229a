"""Scripted faults: which calls go wrong, how, and how often."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from sandbox.http.routes import Endpoint
from sandbox.settings import STRICT


class FaultKind(StrEnum):
    """What goes wrong: first what happens to the call, then what the vendor does with it."""

    REFUSE = "refuse"
    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    TRUNCATE = "truncate"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    TOO_MANY = "too_many"
    SLOW = "slow"
    HANG = "hang"
    DOUBLE_SETTLE = "double_settle"
    DECLINE = "decline"
    REQUOTE = "requote"
    PARTIAL = "partial"


# Faults of the vendor's own making belong to the calls in which it can make them.
_ONLY_FOR = {
    FaultKind.DOUBLE_SETTLE: {Endpoint.CHECKOUT},
    FaultKind.DECLINE: {Endpoint.CHECKOUT},
    FaultKind.REQUOTE: {Endpoint.SUMMARY, Endpoint.CHECKOUT},
    FaultKind.PARTIAL: {Endpoint.APPEND_RECIPIENTS},
}


class FaultRule(BaseModel):
    """A fault and the calls it strikes.

    Of the matching calls the first `after` are spared, then each is struck with `probability`, until `count`
    of them were. The other fields belong to one kind each: `status` (errors), `retry_after` seconds
    (too_many), `seconds` (slow), `applied` (slow, hang: whether the call is carried out before the wait; a
    hanging call otherwise never is, a slow one only afterwards), `factor` on prices (requote), `fraction`
    accepted and `silent` (partial).
    """

    model_config = STRICT

    endpoint: Endpoint | Literal["*"]
    kind: FaultKind
    probability: float = Field(default=1.0, ge=0, le=1)
    count: int | None = Field(default=None, ge=0)
    after: int = Field(default=0, ge=0)
    seed: int = 0
    status: Literal[500, 502, 503, 504] = 500
    retry_after: int = Field(default=1, ge=0)
    seconds: float = Field(default=1.0, ge=0)
    applied: bool = False
    factor: Decimal = Field(default=Decimal("1.1"), gt=0)
    fraction: float = Field(default=0.5, ge=0, le=1)
    silent: bool = False

    @model_validator(mode="after")
    def _can_happen(self) -> Self:
        possible = _ONLY_FOR.get(self.kind)
        if possible is not None and self.endpoint not in possible:
            raise ValueError(f"{self.kind} can only happen to {' or '.join(sorted(possible))}")
        return self


@dataclass(frozen=True, slots=True)
class Script:
    """A rule at work: its number, the calls that matched it so far and those it struck."""

    number: int
    rule: FaultRule
    matched: int = 0
    fired: int = 0

    def met(self) -> "Script":
        """Return the script after one more matching call; it struck if `fired` went up."""
        return Script(self.number, self.rule, self.matched + 1, self.fired + self._strikes())

    def wire(self) -> dict[str, object]:
        """Return the rule and its counts for the control API."""
        rule = self.rule.model_dump(mode="json", by_alias=True)
        return {"id": self.number, **rule, "matched": self.matched, "fired": self.fired}

    def _strikes(self) -> bool:
        rule = self.rule
        if self.matched < rule.after or (rule.count is not None and self.fired >= rule.count):
            return False
        # Drawn from the call's number alone, so that a restart draws on where it was.
        draw = Random(f"{rule.seed}:{self.number}:{self.matched}").random()  # noqa: S311 - a script, not a secret
        return draw < rule.probability


def meet(scripts: Iterable[Script], endpoint: Endpoint) -> tuple[list[Script], FaultRule | None]:
    """Return the scripts this call changes and the fault that strikes it: the first rule that fires wins."""
    met: list[Script] = []
    for script in scripts:
        if script.rule.endpoint in (endpoint, "*"):
            met.append(script.met())
            if met[-1].fired > script.fired:
                return met, script.rule
    return met, None
