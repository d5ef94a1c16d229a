"""Tables on terminals of any width: no number is cropped, and prose breaks at words."""

from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console

from console.queries.ledger import Grouping, LedgerLine, total
from console.views.budgets import ledger_table
from console.views.formatting import facts, table

AMOUNT = Decimal("1236789.00")
ENTRIES = [
    LedgerLine(
        str(number),
        10,
        1_234_567,
        AMOUNT,
        AMOUNT,
        AMOUNT,
        Decimal(0),
        AMOUNT,
        Decimal(0),
        Decimal(-3),
        "Spring offer",
    )
    for number in (1, 10)
]
WHY = "LettrLabs put the order back to Draft although the payment was acknowledged before"


def printed(renderable: object, width: int) -> str:
    out = StringIO()
    Console(file=out, width=width, markup=False, emoji=False, highlight=False).print(renderable)
    return out.getvalue()


@pytest.mark.parametrize("width", [24, 40, 80, 100, 160])
def test_the_ledger_shows_each_amount_whole_on_any_terminal(width: int) -> None:
    shown = printed(ledger_table([*ENTRIES, total(ENTRIES)], Grouping.CAMPAIGN), width)

    assert shown.count("$1,236,789.00") == 8
    assert shown.count("$2,473,578.00") == 4
    assert shown.count("2,469,134") == 1
    assert shown.count("-$3.00") == 2
    assert all(len(line) <= width for line in shown.splitlines())
    if width >= 40:
        assert shown.count("Spring offer") == 2


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_a_reason_breaks_at_words(width: int) -> None:
    rows = table("mailing", "order", "charged", "why", right=("mailing", "order", "charged"), fold=("why",))
    rows.add_row("10", "500123456", "$36,789.00", WHY)

    shown = printed(rows, width).split()

    assert set(WHY.split()) <= set(shown)
    assert {"10", "500123456", "$36,789.00"} <= set(shown)


def test_facts_keep_their_names_and_amounts() -> None:
    shown = printed(facts(("not handed over", "12"), ("money", "$36,789.00 quoted, $36,789.00 charged")), 40)

    assert "not handed over" in shown
    assert shown.count("$36,789.00") == 2
