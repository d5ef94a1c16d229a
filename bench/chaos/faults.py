"""What the vendor does wrong: each fault of docs/sandbox.md in a few percent of all calls, and two manners."""

from collections.abc import Iterator
from random import Random

_WRITES = ("create_order", "append_recipients", "checkout", "delete_order", "delete_recipients")


# Settings of the sandbox that each contender's client can read; two of them hold in a run.
MANNERS: dict[str, list[object]] = {
    "transactionsLagSeconds": [3],
    "reportsLagSeconds": [60],
    "replaceOnPut": [True],
    "deduplicateAcrossOrder": [True],
    "orderOfRows": ["oldest", "newest"],
    "recipientIds": ["arbitrary"],
    "prepaidBalance": [500, 1_000_000],
    "creditSign": ["negative"],
    "creditNames": ["vague"],
    "extraDecimals": [True],
    "transactionIds": ["perOrder", "same"],
    "warnings": [True],
    "templateEndpoints": ["forbidden", "missing"],
    "proofEncoding": ["unpadded", "urlSafe"],
}


def manners(seed: int) -> dict[str, object]:
    """Return two settings of the sandbox that break assumptions, the same for every contender's sandbox."""
    dice = Random(seed)
    return {name: dice.choice(MANNERS[name]) for name in dice.sample(sorted(MANNERS), 2)}


def rules(seed: int) -> list[dict[str, object]]:
    """Return the fault rules, the same for every contender's sandbox."""
    return [rule | {"seed": seed} for rule in (*_anywhere(), *_writes(), *_deeds())]


def _anywhere() -> Iterator[dict[str, object]]:
    for kind in ("refuse", "cut_before"):
        yield {"endpoint": "*", "kind": kind, "probability": 0.005}
    yield {"endpoint": "*", "kind": "error_before", "status": 500, "probability": 0.005}
    yield {"endpoint": "*", "kind": "error_before", "status": 502, "probability": 0.005}
    yield {"endpoint": "*", "kind": "too_many", "retryAfter": 1, "probability": 0.005}
    yield {"endpoint": "*", "kind": "slow", "seconds": 0.5, "probability": 0.01}
    yield {"endpoint": "*", "kind": "hang", "probability": 0.002}


def _writes() -> Iterator[dict[str, object]]:
    for endpoint in _WRITES:
        yield {"endpoint": endpoint, "kind": "cut_after", "probability": 0.02}
        yield {"endpoint": endpoint, "kind": "truncate", "probability": 0.01}
        yield {"endpoint": endpoint, "kind": "error_after", "status": 500, "probability": 0.01}
        yield {"endpoint": endpoint, "kind": "error_after", "status": 502, "probability": 0.01}
        yield {"endpoint": endpoint, "kind": "hang", "applied": True, "probability": 0.005}
        # Applied after the caller has given up.
        yield {"endpoint": endpoint, "kind": "slow", "seconds": 3, "probability": 0.005}


def _deeds() -> Iterator[dict[str, object]]:
    yield {"endpoint": "append_recipients", "kind": "partial", "probability": 0.02}
    yield {"endpoint": "append_recipients", "kind": "partial", "silent": True, "probability": 0.02}
    yield {"endpoint": "checkout", "kind": "decline", "probability": 0.01}
    yield {"endpoint": "checkout", "kind": "double_settle", "probability": 0.01}
    yield {"endpoint": "checkout", "kind": "requote", "probability": 0.01}
    yield {"endpoint": "summary", "kind": "requote", "probability": 0.01}
