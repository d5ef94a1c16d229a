"""Signatures by the Standard Webhooks scheme (version 1.0.0, "v1": HMAC-SHA256), both checked and made.

The scheme's own Python package does the computing. Around it: it raises a plain ValueError for a malformed
signature, reads an aware time of another zone as if it were UTC, and knows one secret at a time.
"""

import base64
import binascii
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

PREFIX: Final = "whsec_"
HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
_FRESH_BYTES: Final = 32
_SHORTEST_BYTES: Final = 24
_LONGEST_BYTES: Final = 64
# A sender that rotates sends two or three; each more costs us one comparison.
_MOST_SIGNATURES: Final = 10
_LONGEST_HEADER: Final = 2048


class SignatureError(Exception):
    """A message is not signed as it must be; the sentence says what is wrong and holds no part of a secret."""


def fresh_secret() -> str:
    """Return a new secret, as the scheme writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_FRESH_BYTES)).decode()


def require_secret(secret: str) -> str:
    """Return a usable secret as it was given; raises ValueError, without quoting it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _SHORTEST_BYTES <= len(key) <= _LONGEST_BYTES:
        raise ValueError(
            f"a secret is {PREFIX} and the base64 of {_SHORTEST_BYTES} to {_LONGEST_BYTES} random bytes"
        )
    return secret


def sign(keys: Sequence[str], message_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the three headers of a message, signed with every secret there is: one of them may be leaving."""
    moment = at.astimezone(UTC)
    signatures = [Webhook(key).sign(message_id, moment, body) for key in keys]
    values = (message_id, str(int(moment.timestamp())), " ".join(signatures))
    return dict(zip(HEADERS, values, strict=True))


def verify(keys: Sequence[str], headers: Mapping[str, str], body: bytes) -> list[str]:
    """Return the secrets that signed this body within the last (or next) five minutes.

    Raises SignatureError if none did.
    """
    given = signature_headers(headers)
    given["webhook-signature"] = _readable(given["webhook-signature"])
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise SignatureError("The body is not UTF-8 text, so no signature over it can be checked.") from None
    if any(len(value) > _LONGEST_HEADER for value in given.values()):
        raise SignatureError("A header of the signature is too long.")
    problems = {key: _problem(key, given, text) for key in keys}
    signers = [key for key, problem in problems.items() if problem is None]
    if not signers:
        raise SignatureError(str(next(iter(problems.values()))))
    return signers


def signature_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that a signature consists of; raises SignatureError, before any body is read."""
    given = {name: headers.get(name, "") for name in HEADERS}
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise SignatureError(f"The message is not signed: {', '.join(missing)} missing.")
    return given


_SENTENCES: Final = {
    "Invalid Signature Headers": "webhook-timestamp is not a number of seconds since 1970.",
    "Message timestamp too old": "webhook-timestamp is more than five minutes old: is the sender's clock right?",
    "Message timestamp too new": "webhook-timestamp is more than five minutes ahead: is the sender's clock right?",
    "No matching signature found": "The signature was made with another secret or over another body.",
}


def _problem(key: str, headers: dict[str, str], body: str) -> str | None:
    try:
        Webhook(key).verify(body, headers, json_parse=False)
    except WebhookVerificationError as error:
        return _SENTENCES.get(str(error), "The signature cannot be checked.")
    except ValueError:
        return "webhook-signature is malformed."
    return None


def _readable(header: str) -> str:
    """Return the signatures of the version we know that are base64; raises SignatureError if there is none."""
    parts = [part.partition(",") for part in header.split(" ")[:_MOST_SIGNATURES]]
    usable = [f"{version},{text}" for version, _, text in parts if version == "v1" and _is_base64(text)]
    if not usable:
        raise SignatureError('webhook-signature holds no signature such as "v1,K5oZ…".')
    return " ".join(usable)


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False
