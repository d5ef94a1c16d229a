"""The vendor's manners: each setting of the sandbox that breaks an assumption, with values that break it."""

from typing import Final

Manner = dict[str, object]

MANNERS: Final[dict[str, list[object]]] = {
    "recipientsLagSeconds": [3.0],
    "ordersLagSeconds": [4.0],
    "statusLagSeconds": [5.0],
    "transactionsLagSeconds": [5.0],
    "reportsLagSeconds": [60.0],
    "replaceOnPut": [True],
    "deduplicateAcrossOrder": [True],
    "appendAlias": [False],
    "orderOfRows": ["oldest", "newest"],
    "orderIds": ["arbitrary"],
    "recipientIds": ["arbitrary"],
    "prepaidBalance": [3, 10_000],
    "creditSign": ["negative"],
    "creditNames": ["vague"],
    "taxInsideLines": [True],
    "subItemsAddUp": [False],
    "nullAmounts": ["amounts", "lines", "all"],
    "extraDecimals": [True],
    "transactionIds": ["perOrder", "same"],
    "warnings": [True],
    "memberCase": ["pascal"],
    "listMembers": ["missing"],
    "queryNames": ["old"],
    "templateEndpoints": ["forbidden", "missing"],
    "proofEncoding": ["unpadded", "urlSafe", "leadingNewline"],
}
# What no mailing gets past by itself: an answer without its list is unreadable, and a doubtful quote is for a person.
STOPS: Final = frozenset({"listMembers", "taxInsideLines", "subItemsAddUp", "nullAmounts"})
# With arbitrary ids a lost create may leave a draft that recovery cannot tell from others' orders.
HIDES_STRAYS: Final = frozenset({"orderIds"})
EACH: Final[list[Manner]] = [
    {name: value} for name, values in MANNERS.items() for value in values if name not in STOPS
]
