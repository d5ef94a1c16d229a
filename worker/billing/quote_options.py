"""Whether a quote is of the options that were asked for: a wrong parameter name quotes the default, in silence.

The summary does not repeat the options (LettrLabs, Checkout Summary). They are told by lines that name a postage or
a speed; where no line does, by asking for the default as well: if that costs the same although the reply's own price
list says that it must not, the options were ignored. Where the price list has no difference either, nothing tells.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from lettrlabs import Line, Postage, ProductionSpeed, Quote
from worker.billing.amounts import same
from worker.billing.costs import cost_of


@dataclass(frozen=True, slots=True)
class QuoteOptions:
    """The options that a quote was asked for."""

    postage: str
    speed: str

    @property
    def is_default(self) -> bool:
        """Whether an ignored parameter makes no difference."""
        return self == DEFAULT


# A card may be of standard size and ink be normal: these two words count only beside what they would be about.
_ABOUT: Mapping[str, tuple[str, ...]] = {
    Postage.STANDARD: ("postage", "stamp"),
    ProductionSpeed.NORMAL: ("production", "speed"),
}
DEFAULT = QuoteOptions(Postage.STANDARD, ProductionSpeed.NORMAL)


def find_option_mismatch(asked: QuoteOptions, told: Quote, default: Callable[[], Quote]) -> str | None:
    """Return in words what shows that a quote is of other options, None if nothing shows it.

    `default` asks the vendor for the default's quote; it is only called where the lines leave the options open.
    """
    named = _words(told)
    postage = _other(asked.postage, Postage, named)
    if postage is not None:
        return f"its lines name {postage} postage, not {asked.postage}"
    speed = _other(asked.speed, ProductionSpeed, named)
    if speed is not None:
        return f"its lines name the speed {speed}, not {asked.speed}"
    if asked.is_default or _is_told(asked, named) or not _differs_by_list(asked, told):
        return None
    if _costs_the_same(told, default()):
        return f"it costs the same as {DEFAULT.postage}, {DEFAULT.speed}, which its own price list says it must not"
    return None


def _costs_the_same(one: Quote, other: Quote) -> bool:
    """Compare cost and balance: of an order that the account's credits pay, the balance is always 0."""
    balances = same(one.balance or Decimal(0), other.balance or Decimal(0))
    return balances and same(cost_of(one).total, cost_of(other).total)


def _other(asked: str, kind: type[StrEnum], named: set[str]) -> str | None:
    """Return another option that the lines name, if they do not name the one that was asked for."""
    there = [option.value for option in kind if _is_named(option, named)]
    return None if asked in there or not there else there[0]


def _is_told(asked: QuoteOptions, named: set[str]) -> bool:
    """Return whether the lines name every option asked for that is not the default."""
    chosen = {asked.postage, asked.speed} - {DEFAULT.postage, DEFAULT.speed}
    return all(_is_named(option, named) for option in chosen)


def _is_named(option: str, named: set[str]) -> bool:
    about = _ABOUT.get(option, ("",))
    return any(_plain(option) in name and any(word in name for word in about) for name in named)


def _differs_by_list(asked: QuoteOptions, told: Quote) -> bool:
    """Return whether the price list in the reply makes the options dearer or cheaper than the default."""
    apart = _apart(told.postage_prices, asked.postage, DEFAULT.postage)
    return not same(apart + _apart(told.production_prices, asked.speed, DEFAULT.speed), Decimal(0))


def _apart(prices: Mapping[str, Decimal], asked: str, default: str) -> Decimal:
    return prices[asked] - prices[default] if {asked, default} <= prices.keys() else Decimal(0)


def _words(told: Quote) -> set[str]:
    """Return what the lines call themselves, letters only."""
    return {_plain(text) for line in _all(told) for text in (line.name, line.transaction_sub_type) if text}


def _all(told: Quote) -> Iterator[Line]:
    waiting = list(told.lines)
    while waiting:
        line = waiting.pop()
        yield line
        waiting += line.sub_items


@lru_cache(maxsize=1024)
def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalpha())
