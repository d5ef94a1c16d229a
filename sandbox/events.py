"""What happened, in the words the journal keeps; the world is what follows from all of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a checkout settles; decided at the checkout, seen once the settlement time is over."""

    PAID = "paid"
    PAID_TWICE = "paid twice"
    DECLINED = "declined"


@dataclass(frozen=True)
class OrderCreated:
    """A draft came to be."""

    order: int
    template: int
    at: float


@dataclass(frozen=True)
class OrderDeleted:
    """A draft is gone; its number is never used again."""

    order: int
    at: float


@dataclass(frozen=True)
class RecipientsAttached:
    """People are on the order; `sent` holds a JSON text for each id. With `replaced`, instead of the others."""

    order: int
    ids: list[int]
    sent: list[str]
    replaced: bool = False
    at: float = 0.0


@dataclass(frozen=True)
class RecipientsRemoved:
    """These people are no longer on the order."""

    order: int
    ids: list[int]
    at: float = 0.0


@dataclass(frozen=True)
class OrderCheckedOut:
    """A checkout was accepted. Money is dollars and cents as text, `charged` before `credited` is taken off.

    `drawn` is the part of the rest that the account's prepaid balance pays.
    """

    order: int
    at: float
    settles_at: float
    outcome: Outcome
    charged: str
    credited: str
    postage: str
    speed: str
    hold: str | None
    auto_bill: bool
    drawn: str = "0"


@dataclass(frozen=True)
class OrderRepriced:
    """From now on this order's price list is multiplied by `factor`."""

    order: int
    factor: str


@dataclass(frozen=True)
class OrderStatusSet:
    """The vendor's support gave the order this status; None lets it go on by itself."""

    order: int
    status: str | None
    at: float


@dataclass(frozen=True)
class OrderAdjusted:
    """The vendor's support charged or, with `credit`, gave back this amount (dollars, as text)."""

    order: int
    amount: str
    description: str
    credit: bool
    at: float


@dataclass(frozen=True)
class SettingsChanged:
    """The operator changed how the vendor behaves; holds all the settings."""

    settings: dict[str, Any]


@dataclass(frozen=True)
class ClockSet:
    """The clock runs like this from here."""

    real: float
    sandbox: float
    speed: float


@dataclass(frozen=True)
class RulesSet:
    """These are the fault rules now, in order."""

    rules: list[dict[str, Any]]


@dataclass(frozen=True)
class RuleMatched:
    """A rule has matched and fired this often so far."""

    rule: int
    matched: int
    fired: int


@dataclass(frozen=True)
class CallsCounted:
    """This many more calls of an endpoint arrived, and this many of them were carried out."""

    endpoint: str
    arrived: int = 1
    applied: int = 0


@dataclass(frozen=True)
class RecipientNumberReached:
    """Numbers below this one have been given to recipients, perhaps to some who were removed."""

    next: int


Fact = (
    OrderCreated
    | OrderDeleted
    | RecipientsAttached
    | RecipientsRemoved
    | OrderCheckedOut
    | OrderRepriced
    | OrderStatusSet
    | OrderAdjusted
    | SettingsChanged
    | ClockSet
    | RulesSet
    | RuleMatched
    | CallsCounted
    | RecipientNumberReached
)
