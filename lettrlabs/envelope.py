"""The vendor's JSON around an answer: both envelopes, and every shape an error comes in."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NoReturn

from lettrlabs.transport import Reply

LONGEST_WORDS = 500
"""Characters of the vendor's words that are kept."""

_MOST_SENTENCES = 20
_KEYS = re.compile(r"LL-API-[\w.~+/=-]+")
_CODE = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_SERVER_ERROR = 500
_NAMES = (
    "payload",
    "errors",
    "hasErrors",
    "errorDetails",
    "warnings",
    "reasonCode",
    "message",
    "detail",
    "title",
)
_PASCAL_NAMES = {name[0].upper() + name[1:]: name for name in _NAMES}
# Where a refusal's words stand: the envelope's own member, the agent tools' message, ASP.NET's problem details.
_PLACES_OF_WORDS = ("errors", "message", "detail", "title", "payload")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# Numbers with a fraction become Decimal from their own digits. Built once: json.loads builds it anew on every call.
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a reply's body says.

    `payload` is the whole document where the vendor used no envelope, and None where the body was empty; `readable`
    is False where the body is neither empty nor JSON. `words` never hold a key, but may quote an address.
    """

    readable: bool
    payload: Any = field(default=None, repr=False)
    has_errors: bool = False
    words: str | None = field(default=None, repr=False)
    reason_code: str | None = None


def parse_envelope(reply: Reply, key: str) -> Envelope:
    """Read a reply's body, of whatever status and shape."""
    document, readable = _document(reply.body)
    if isinstance(document, dict):
        document = _with_known_names(document)
    found = _words(document, reply.status)
    words = _cleaned(found, key) if found else None
    if not isinstance(document, dict):
        return Envelope(readable, document if readable else None, words=words)
    stated = document.get("hasErrors")
    return Envelope(
        readable,
        payload=document.get("payload", document),
        has_errors=bool(document.get("errors")) if stated is None else stated is True,
        words=words,
        reason_code=_reason_code(document, key),
    )


def _with_known_names(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document whose envelope is in camelCase although the server wrote PascalCase."""
    if not any(name in document for name in _PASCAL_NAMES):
        return document
    return {_PASCAL_NAMES.get(name, name): value for name, value in document.items()}


def _document(body: bytes) -> tuple[Any, bool]:
    """Give the body's JSON and True, or else its text, unless that is a page of HTML, and False."""
    if not body:
        return None, True
    try:
        return _DECODER.decode(body.decode("utf-8-sig")), True
    except (ValueError, ArithmeticError, RecursionError):
        text = body[: 4 * LONGEST_WORDS].decode("utf-8", "replace").strip()
        return None if text.startswith("<") else text, False


def _words(document: Any, status: int) -> list[str]:  # noqa: ANN401 - whatever JSON holds
    # The text of a 5xx is not for show (LettrLabs' agent tools).
    if status >= _SERVER_ERROR:
        return []
    succeeded = 200 <= status < 300  # noqa: PLR2004 - HTTP's class of successes
    if not isinstance(document, dict):
        return [] if succeeded else [*_sentences(document)]
    places = ("errors", "warnings") if succeeded else _PLACES_OF_WORDS
    return next((found for place in places if (found := [*_sentences(document.get(place))])), [])


def _sentences(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value[:_MOST_SENTENCES]:
            said = (item.get("message") or item.get("Message")) if isinstance(item, dict) else item
            if isinstance(said, str):
                yield said
    elif isinstance(value, dict):
        # ASP.NET's validation problems: lists of sentences by field.
        for item in [*value.values()][:_MOST_SENTENCES]:
            yield from _sentences(item) if isinstance(item, list) else ()


def _reason_code(document: dict[str, Any], key: str) -> str | None:
    details = document.get("errorDetails")
    places = [document, document.get("payload"), *(details if isinstance(details, list) else [])]
    codes = (
        place.get("reasonCode") or place.get("ReasonCode") for place in places if isinstance(place, dict)
    )
    code = next((code for code in codes if isinstance(code, str) and _CODE.fullmatch(code)), None)
    return code and _cleaned([code], key)


def _cleaned(sentences: list[str], key: str) -> str | None:
    text = " ".join(" ".join(sentences).split())
    text = _KEYS.sub("[key]", text.replace(key, "[key]"))
    return "".join(letter for letter in text[:LONGEST_WORDS] if letter.isprintable()) or None
