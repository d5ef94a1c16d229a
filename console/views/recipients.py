"""How the people of a mailing look: counted, or one by one."""

from collections.abc import Iterable

from rich.table import Table

from console.queries.recipients import OutcomeCount, RecipientFacts
from console.views.formatting import state, table, text


def outcome_table(outcomes: Iterable[OutcomeCount]) -> Table:
    """Return how many people came to what."""
    rows = table("people", "outcome", "reason", right=("people",), fold=("reason",), title="People")
    for one in outcomes:
        rows.add_row(f"{one.people:,}", state(one.outcome), text(one.reason))
    return rows


def person_table(people: Iterable[RecipientFacts]) -> Table:
    """Return everybody, with name and address."""
    rows = table(
        "row",
        "name",
        "address",
        "outcome",
        "reason",
        right=("row",),
        fold=("name", "address", "reason"),
        title="People",
    )
    for one in people:
        name = " ".join(filter(None, (one.first_name, one.last_name, one.organization)))
        street = ", ".join(filter(None, (one.address1, one.address2)))
        address = f"{street}, {one.city}, {one.state} {one.zip_code}"
        rows.add_row(text(one.row), text(name), text(address), state(one.outcome), text(one.reason))
    return rows
