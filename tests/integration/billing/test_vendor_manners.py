"""Over an awkward vendor: no order costs more than was approved or budgeted, and no charge is missing.

The manners come two at a time, from the sandbox's settings. The sandbox's ledger is the judge.
"""

from decimal import Decimal
from itertools import combinations
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from console.queries.ledger import Grouping, ledger, total
from models import Approval, State

MANNERS: dict[str, list[dict[str, Any]]] = {
    "prepaid": [{"prepaidBalance": 3}, {"prepaidBalance": 10_000}],
    "sign": [{"creditSign": "negative"}],
    "names": [{"creditNames": "vague"}],
    "tax": [{"taxInsideLines": True}],
    "parts": [{"subItemsAddUp": False}],
    "nulls": [{"nullAmounts": "amounts"}, {"nullAmounts": "lines"}, {"nullAmounts": "all"}],
    "decimals": [{"extraDecimals": True}],
    "ids": [{"transactionIds": "perOrder"}, {"transactionIds": "same"}],
    "late books": [{"transactionsLagSeconds": 5}],
}
PAIRS = [
    one | other
    for first, second in combinations(MANNERS, 2)
    for one in MANNERS[first]
    for other in MANNERS[second]
]
ACCOUNT_BUDGET = Decimal(500)

orders = st.fixed_dictionaries(
    {
        "people": st.sampled_from([1, 2, 3, 250]),
        "approval": st.sampled_from([None, "0.01", "9.00", "1000.00"]),
        "approves": st.booleans(),
        "fault": st.sampled_from([None, None, "requote", "cut_after", "decline"]),
    }
)


@settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(manner=st.sampled_from(PAIRS), asked=st.lists(orders, min_size=1, max_size=3))
def test_no_order_costs_more_than_was_agreed_and_every_charge_is_in_the_ledger(
    hands: Any, people: Any, sandbox: Any, manner: dict[str, Any], asked: list[dict[str, Any]]
) -> None:
    with people.engine.begin() as connection:
        connection.execute(text("DELETE FROM mailing"))
    sandbox.empty()
    people.limit(total=ACCOUNT_BUDGET)
    sandbox.set(**manner)

    agreed = dict(send(hands, people, sandbox, one) for one in asked)

    paid = {order["id"]: charged(order) for order in sandbox.orders() if order["charges"]}
    assert sum(paid.values()) <= ACCOUNT_BUDGET
    for order_id, cost in paid.items():
        assert cost <= agreed[order_id]
    with people.engine.connect() as connection:
        entries = ledger(connection, Grouping.ORDER, zone="UTC")
    assert total(entries).charged >= sum(paid.values())
    assert {int(entry.label.split()[0]) for entry in entries if entry.charged} == paid.keys()
    if "creditNames" not in manner:
        assert sum(entry.paid for entry in entries) == sum(paid.values())


def charged(order: dict[str, Any]) -> Decimal:
    return sum((Decimal(one["amount"]) for one in order["charges"]), Decimal(0))


def send(hands: Any, people: Any, sandbox: Any, asked: dict[str, Any]) -> tuple[int, Decimal]:
    """Send one mailing as asked; return its order, and up to what it may cost."""
    over = asked["approval"] and Decimal(asked["approval"])
    policy = {} if over is None else {"approval": Approval.OVER, "approval_over": over}
    mailing_id = hands.new_mailing(asked["people"], **policy)
    if asked["fault"] == "requote":
        sandbox.fail("summary", "requote", factor="1.5", count=1, after=1)
    elif asked["fault"]:
        sandbox.fail("checkout", asked["fault"], count=1)
    row = hands.to_the_end(mailing_id)
    limit = ACCOUNT_BUDGET if over is None else over
    if row.state is State.APPROVAL and row.reason_code is None and asked["approves"]:
        people.approve(mailing_id)
        row = hands.to_the_end(mailing_id)
        limit = people.decisions(mailing_id)[-1].total
    sandbox.heal()
    return row.order_id, limit
