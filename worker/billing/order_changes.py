"""What a look at a paid order says: only what the vendor shows counts, and never what it does not show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from lettrlabs import OrderAnalytics, OrderStatus
from models import Difference
from worker.billing.amounts import added, money, same, to_cent
from worker.billing.reconciliation import OrderCharges, SettledOrder, digest_of

ORDER_CHANGED: Final = "order_changed"
CHARGE_CHANGED: Final = "charge_changed"
# In the order in which an order comes by them.
_PROGRESS: Final = (
    OrderStatus.PAID,
    OrderStatus.READY_FOR_PRODUCTION,
    OrderStatus.IN_PRODUCTION,
    OrderStatus.IN_QA,
    OrderStatus.IN_SHIPPING,
    OrderStatus.MAILED,
)
_TROUBLE: Final = frozenset(
    {
        OrderStatus.EDITS_NEEDED,
        OrderStatus.REFUNDED,
        OrderStatus.CANCELLED,
        OrderStatus.DELETED,
        OrderStatus.ERROR,
    }
)
# An order shows these before it is paid: a read that lags shows them too, so one look is not enough.
_BEFORE_PAYMENT: Final = frozenset({OrderStatus.DRAFT, OrderStatus.PAYMENT_NEEDED})
_LONGEST_LAG: Final = timedelta(hours=6)

# A transaction as far as one is told from another: its amount, to the cent, and whether it is a credit.
Transacted: TypeAlias = tuple[Decimal | None, bool]


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier looks left behind; ``told`` is the status that the mailing's row tells."""

    told: str | None
    status: str | None
    status_since: datetime | None
    mailed_at: datetime | None
    quoted: Decimal | None
    charged: Decimal | None
    entries: Sequence[Transacted]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the vendor shows now; without analytics there was no row for the order."""

    analytics: OrderAnalytics | None
    books: SettledOrder


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known after the look; ``code`` and ``why`` if a person must hear of it.

    ``tells`` says that the mailing's row is to tell the status; ``news`` that there are new transactions, and
    ``account`` is the order's money by them if it costs something else than before.
    """

    status: str | None
    status_since: datetime | None
    mailed_at: datetime | None
    tells: bool
    news: bool
    account: OrderCharges | None
    code: str | None = None
    why: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def judge(order: int, known: Known, shown: Shown, now: datetime) -> Verdict:
    """Compare what is shown with what is known."""
    status = _status(known, shown)
    since = now if status != known.status else known.status_since
    is_news = status != known.told and _is_sure(status, since, now)
    trouble = _trouble(order, status) if is_news else None
    is_mailed = status == OrderStatus.MAILED
    before = known.charged or Decimal(0)
    news = _transacted(shown.books) - Counter(_to_cent(*entry) for entry in known.entries)
    account = OrderCharges.of(shown.books) if news else None
    cost = before if account is None else account.cost
    moved = _moved(order, known, cost) or _credited(order, known, news)
    code = _code(trouble, moved)
    facts: dict[str, Any] = {"orderStatus": status, "chargedBefore": str(before), "charged": str(cost)}
    if code == CHARGE_CHANGED and account is not None:
        facts |= _to_accept(before, account)
    return Verdict(
        status=status,
        status_since=since,
        mailed_at=now if is_mailed and known.mailed_at is None else known.mailed_at,
        tells=is_news,
        news=bool(news),
        account=account,
        code=code,
        why="; ".join(why for why in (trouble, moved) if why is not None),
        facts=facts,
    )


def _status(known: Known, shown: Shown) -> str | None:
    told = None if shown.analytics is None else shown.analytics.order_status
    if told is None or _is_behind(told, known.status):
        return known.status
    return told


def _is_behind(told: str, known: str | None) -> bool:
    """Return whether the order has left this status behind, so that only a read that lags shows it."""
    return told in _PROGRESS and known in _PROGRESS and _rank(told) < _rank(known)


def _rank(status: str | None) -> int:
    return [one.value for one in _PROGRESS].index(str(status))


def _is_sure(status: str | None, since: datetime | None, now: datetime) -> bool:
    """Return whether the status counts: one from before the payment only once it has been shown for hours."""
    return status not in _BEFORE_PAYMENT or (since is not None and now - since >= _LONGEST_LAG)


def _trouble(order: int, status: str | None) -> str | None:
    if status in _TROUBLE or status in _BEFORE_PAYMENT:
        return f"LettrLabs shows order {order} as {status} after it was paid"
    return None


def _moved(order: int, known: Known, cost: Decimal) -> str | None:
    before = known.charged or Decimal(0)
    if same(cost, before) or (known.quoted is not None and same(cost, known.quoted)):
        return None
    if cost > before:
        return f"LettrLabs took {money(cost - before)} more for order {order}: {money(cost)} in all"
    return f"LettrLabs gave {money(before - cost)} back for order {order}: {money(cost)} remain"


def _credited(order: int, known: Known, news: Counter[Transacted]) -> str | None:
    """Return the words for a credit after the settlement that leaves the cost as it was: it may be a refund."""
    credited = added(amount * count for (amount, is_credit), count in news.items() if is_credit and amount)
    charged = any(not is_credit for _, is_credit in news)
    if not known.entries or not credited or charged:
        return None
    return f"LettrLabs credited {money(credited)} for order {order} after it was paid"


def _to_accept(before: Decimal, account: OrderCharges) -> dict[str, Any]:
    """Return what an approver accepts: the kind of the change, and these charges and no others."""
    kind = Difference.CHARGED_MORE if account.cost > before else Difference.CHARGED_LESS
    return {"differences": [kind.value], "digest": digest_of(account).hex()}


def _code(trouble: str | None, moved: str | None) -> str | None:
    if trouble is not None:
        return ORDER_CHANGED
    return None if moved is None else CHARGE_CHANGED


def _transacted(books: SettledOrder) -> Counter[Transacted]:
    return Counter(_to_cent(one.size, one.is_credit) for one in books.entries)


def _to_cent(amount: Decimal | None, is_credit: bool) -> Transacted:  # noqa: FBT001 - the two parts of an entry
    return (None if amount is None else to_cent(amount)), is_credit
