"""Secrets that senders of events sign with, each bound to the sources and types it may send."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from worker.webhooks.signatures import require_secret, verify

_LIMITS: Final = {"source": "sources", "type": "types"}


@dataclass(frozen=True, slots=True)
class EventSecret:
    """A secret and the events that it may sign; an empty tuple allows every source or type.

    A pattern is a whole value, or a beginning that ends with `*`.
    """

    key: str = field(repr=False)
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "EventSecret":
        """Read `whsec_...;source=PATTERN;type=PATTERN`; raises ValueError, without quoting the secret."""
        key, *limits = text.split(";")
        found: dict[str, list[str]] = {"sources": [], "types": []}
        for limit in limits:
            name, separator, pattern = limit.partition("=")
            if name not in _LIMITS or not separator or not pattern:
                raise ValueError("after a secret there may be ;source=PATTERN and ;type=PATTERN")
            found[_LIMITS[name]].append(pattern)
        return cls(require_secret(key), tuple(found["sources"]), tuple(found["types"]))

    def allows(self, source: str, kind: str) -> bool:
        """Return whether an event of this source and type may be signed with this secret."""
        return _matches(self.sources, source) and _matches(self.types, kind)

    @property
    def names_one_event(self) -> bool:
        """Whether the secret itself says what the source and the type are, so that they need no signature."""
        patterns = (*self.sources, *self.types)
        return len(self.sources) == len(self.types) == 1 and not any(p.endswith("*") for p in patterns)


def parse_secrets(text: str) -> tuple[EventSecret, ...]:
    """Read secrets one space apart; raises ValueError for the first that is unusable."""
    return tuple(EventSecret.parse(one) for one in text.split())


def signers(
    secrets: Sequence[EventSecret], headers: Mapping[str, str], body: bytes
) -> tuple[EventSecret, ...]:
    """Return the secrets that signed a message; raises SignatureError if none did."""
    keys = set(verify([secret.key for secret in secrets], headers, body))
    return tuple(secret for secret in secrets if secret.key in keys)


def _matches(patterns: Sequence[str], value: str) -> bool:
    return not patterns or any(
        value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern for pattern in patterns
    )
