"""How campaigns look."""

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from console.queries.campaigns import CampaignProgress, Group, NextStep, Rejection
from console.views.formatting import cost, count, day, facts, money, state, table, text, when
from models import State

_NUMBERS = (
    "id",
    "orders",
    "people accepted",
    "price",
    "size",
    "accepted",
    "refused",
    "spared",
    "quoted",
    "charged",
)


def campaign_table(standings: Iterable[CampaignProgress]) -> Table:
    """Return one line for each campaign."""
    columns = ("id", "name", "status", "orders", "people", "price", "date")
    rows = table(*columns, right=_NUMBERS, fold=("name",))
    for one in standings:
        rows.add_row(
            str(one.id),
            text(one.name),
            state(one.status),
            f"{one.mailings:,}",
            f"{one.accepted:,} of {one.people:,}",
            money(one.charged or one.quoted),
            _date(one),
        )
    return rows


def campaign_facts(one: CampaignProgress) -> Table:
    """Return a campaign's own facts."""
    return facts(
        ("campaign", f"{one.id}  {one.name}"),
        ("status", state(one.status)),
        ("key", one.key),
        ("submitted", when(one.created_at)),
        *((("paused", when(one.paused_at)),) if one.paused_at else ()),
        *_date_facts(one),
        ("list", f"{count(one.rows, 'row')}: {one.people:,} to mail, {one.rejected:,} rejected"),
        ("LettrLabs", f"{one.accepted:,} accepted, {one.refused:,} refused"),
        *((("not handed over", _spared_words(one.spared)),) if one.spared else ()),
        ("money", f"{cost(one.quoted, one.quoted_from_credits)} quoted, {_charged(one)} charged"),
    )


def _date_facts(one: CampaignProgress) -> Iterator[tuple[str, str]]:
    if one.sends:
        yield "paid", f"not before {_span(*map(when, one.sends))}"
    if one.holds:
        yield "held", f"until {_span(*map(str, one.holds))}"
    if one.deliver_by:
        yield "arrives", f"by {one.deliver_by}"
    if one.paid_at:
        yield "last paid", when(one.paid_at)


def _date(one: CampaignProgress) -> str:
    """Return the date that matters now: of the payment, else of the first order to go out, else of the submission."""
    if one.paid_at:
        return f"paid {day(one.paid_at)}"
    if one.sends:
        return f"goes out {day(one.sends[0])}"
    return f"held until {one.holds[0]}" if one.holds else f"submitted {day(one.created_at)}"


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def _spared_words(spared: int) -> str:
    return f"{spared:,}, by your suppression lists, caps or one piece for a household"


def group_table(one: CampaignProgress) -> Table:
    """Return one line for each stage and state that mailings of the campaign are at."""
    rows = table(
        *("orders", "stage", "state", "size", "accepted", "refused", "spared", "quoted", "charged"),
        right=_NUMBERS,
    )
    for group in one.groups:
        rows.add_row(
            f"{group.mailings:,}",
            group.stage,
            state(group.state),
            f"{group.size:,}",
            f"{group.accepted:,}",
            f"{group.rejected - group.spared:,}",
            f"{group.spared:,}",
            money(group.quoted),
            money(group.charged),
        )
    return rows


def rejection_table(rejections: Iterable[Rejection]) -> Table:
    """Return rows of the file that are not mailed, and why."""
    rows = table("row", "reason", "what is wrong", right=("row",), fold=("what is wrong",))
    for one in rejections:
        rows.add_row(str(one.row), one.code, text(one.reason))
    return rows


def progress(one: CampaignProgress, waiting: NextStep | None, notes: Iterable[str] = ()) -> RenderableType:
    """Return how far a campaign is, for a display that is drawn again and again."""
    done, steps = one.steps
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        Text(f"campaign {one.id}", style="bold"),
        ProgressBar(total=max(steps, 1), completed=done, width=40),
        state(one.status),
    )
    return Stack(bar, Text(f"  {summary(one)}"), *(Text(f"  {line}") for line in _notes(one, waiting, notes)))


def summary(one: CampaignProgress) -> str:
    """Return how far a campaign is in one line."""
    doing: Counter[str] = Counter()
    for group in one.groups:
        doing[_doing(group)] += group.mailings
    parts = ", ".join(f"{number:,} {words}" for words, number in doing.items())
    spared = f", {one.spared:,} not handed over" if one.spared else ""
    people = f"{one.accepted:,} of {count(one.people, 'person', 'people')} accepted, {one.refused:,} refused{spared}"
    return f"{count(one.mailings, 'order')}: {parts or 'none yet'}; {people}{_money_words(one)}"


def _money_words(one: CampaignProgress) -> str:
    if one.count(State.SENT):
        return f"; {_charged(one)} charged"
    return f"; {cost(one.quoted, one.quoted_from_credits)} quoted" if one.quoted else ""


def _charged(one: CampaignProgress) -> str:
    return cost(one.charged, one.charged_from_credits)


def _doing(group: Group) -> str:
    return _REST_WORDS.get(group.state, f"at {group.stage}")


_REST_WORDS = {
    State.APPROVAL: "waiting for approval",
    State.ATTENTION: "needing attention",
    State.SENT: "sent",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}


def _notes(one: CampaignProgress, waiting: NextStep | None, notes: Iterable[str]) -> Iterable[str]:
    if one.paused_at:
        yield f"paused: mailrun campaign resume {one.id}"
    if waiting is not None:
        yield f"mailing {waiting.mailing_id}: {text(waiting.why)}; goes on at {when(waiting.until)}"
    yield from notes
