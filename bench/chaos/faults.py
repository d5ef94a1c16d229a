"""What the vendor does wrong: every kind of docs/sandbox.md, at a few percent of all calls together."""

from collections.abc import Iterator

_WRITES = ("create_order", "append_recipients", "checkout", "delete_order", "delete_recipients")


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
