"""CloudEvents 1.0 as they arrive over HTTP: binary and structured mode, one event or a batch (CNCF, HTTP binding)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, NoReturn
from urllib.parse import unquote

from intake.errors import ErrorCode, IntakeError
from intake.events.json_numbers import by_value, read_json, write_json
from intake.rfc3339 import instant

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
MOST_IN_BATCH: Final = 500
DEEPEST: Final = 32
"""Levels of objects and lists within each other; what happened somewhere is a few."""

_LONGEST: Final = {"id": 200, "source": 400, "type": 200}
_LONGEST_ATTRIBUTE: Final = 2000
_NAME: Final = re.compile(r"[a-z0-9]{1,40}", re.ASCII)
_JSON_TYPE: Final = re.compile(r"application/json|[\w.+-]+/[\w.+-]+\+json|text/json", re.ASCII)
_BINARY_PREFIX: Final = "ce-"


class EventError(IntakeError):
    """A message is not a CloudEvent that can be taken."""

    def __init__(self, sentence: str, fault: ErrorCode = ErrorCode.NOT_AN_EVENT) -> None:
        super().__init__(fault, sentence)


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event. ``body`` is its canonical JSON: all attributes, and its data under "data".

    Two events are the same event if source and id are, and have the same content if the digests are. ``content`` is
    the body with each number by its value: 1.50 and 1.5 are the same content.
    """

    source: str
    id: str
    type: str
    body: str = field(repr=False)
    content: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """Return 32 bytes that differ when anything in the event differs."""
        return blake2b(self.content.encode(), digest_size=32).digest()


def read_events(headers: Mapping[str, str], body: bytes) -> tuple[CloudEvent, ...]:
    """Return the event of a request, or the events of a batch; raises EventError.

    `headers` are those of the request, their names in lower case.
    """
    kind = media_type(headers.get("content-type", ""))
    if kind == BATCH:
        return _batch(parsed_json(body))
    if kind == STRUCTURED:
        return (_event(parsed_json(body), ""),)
    if kind.startswith("application/cloudevents"):
        _refuse_type(f"events in the format {kind} cannot be read")
    return (_binary(headers, kind, body),)


def event_from(document: object) -> CloudEvent:
    """Return the event that a JSON document is in structured mode; raises EventError."""
    return _event(document, "")


def is_binary(headers: Mapping[str, str]) -> bool:
    """Return whether a request's attributes stand in its headers (HTTP binding, 3.1)."""
    return f"{_BINARY_PREFIX}specversion" in headers


def media_type(header: str) -> str:
    """Return the media type in a Content-Type header, without its parameters."""
    return header.partition(";")[0].strip().lower()


def _batch(documents: object) -> tuple[CloudEvent, ...]:
    if not isinstance(documents, list):
        raise EventError("A batch is a JSON array of events.")
    if len(documents) > MOST_IN_BATCH:
        raise EventError(f"A batch holds at most {MOST_IN_BATCH} events; this one has {len(documents)}.")
    return tuple(_event(one, f"Event {n} of the batch: ") for n, one in enumerate(documents, 1))


def _binary(headers: Mapping[str, str], kind: str, body: bytes) -> CloudEvent:
    names = {name.removeprefix(_BINARY_PREFIX): name for name in headers if name.startswith(_BINARY_PREFIX)}
    if "specversion" not in names:
        _refuse_type(
            "the body is no CloudEvent in structured mode, and without a ce-specversion header none in binary mode"
        )
    # Percent-encoded UTF-8 (HTTP binding, 3.1.3.2).
    document: dict[str, Any] = {name: unquote(headers[header]) for name, header in names.items()}
    if body:
        if not _JSON_TYPE.fullmatch(kind):
            _refuse_type("an event's data must be JSON")
        document |= {"data": parsed_json(body), "datacontenttype": kind}
    return _event(document, "")


def _refuse_type(why: str) -> NoReturn:
    raise EventError(f"Not readable: {why}.", ErrorCode.UNKNOWN_FORMAT)


def _event(document: object, where: str) -> CloudEvent:
    if not isinstance(document, dict):
        raise EventError(f"{where}An event is a JSON object.")
    event = {name: value for name, value in document.items() if value is not None or name == "data"}
    if event.get("specversion") != "1.0":
        raise EventError(f'{where}The attribute "specversion" must be "1.0".')
    for name, value in event.items():
        if name not in {"data", "data_base64"}:
            _check_attribute(name, value, where)
    for name, longest in _LONGEST.items():
        _check_key(name, event.get(name), longest, where)
    _check_time(event.get("time"), where)
    kind = media_type(str(event.get("datacontenttype", "application/json")))
    if "data_base64" in event or not _JSON_TYPE.fullmatch(kind):
        raise EventError(f"{where}An event's data must be JSON.", ErrorCode.UNKNOWN_FORMAT)
    event["datacontenttype"] = kind
    try:
        # By value first: it refuses a number that no double can hold.
        content = by_value(event)
        body = write_json(event)
    except (ValueError, ArithmeticError):
        raise EventError(f"{where}A number in it is out of range.") from None
    return CloudEvent(event["source"], event["id"], event["type"], body, content)


def _check_attribute(name: str, value: object, where: str) -> None:
    if not _NAME.fullmatch(name):
        raise EventError(f"{where}An attribute's name is lower-case letters and digits, 40 at most.")
    if not isinstance(value, str | int) or len(str(value)) > _LONGEST_ATTRIBUTE:
        raise EventError(
            f'{where}The attribute "{name}" is not text, a whole number or a truth value of at most '
            f"{_LONGEST_ATTRIBUTE} characters."
        )


def _check_key(name: str, value: object, longest: int, where: str) -> None:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > longest:
        raise EventError(
            f'{where}The attribute "{name}" is needed: 1 to {longest} printable characters of text.'
        )


def _check_time(value: object, where: str) -> None:
    if value is not None and instant(value) is None:
        raise EventError(
            f'{where}The attribute "time" is not a time such as 2026-11-22T09:30:00Z (RFC 3339).'
        )


def parsed_json(body: bytes) -> object:
    """Return what a JSON body says; raises EventError if it is not JSON, or too deep."""
    try:
        document = read_json(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise EventError("The body is not JSON.", ErrorCode.NOT_JSON) from None
    if _depth(document) > DEEPEST:
        raise EventError(f"The body is nested more than {DEEPEST} levels deep.", ErrorCode.TOO_DEEP)
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _depth(document: object) -> int:
    level, depth = [document], 0
    while level and depth <= DEEPEST + 1:
        level = [inner for outer in level for inner in _within(outer)]
        depth += 1
    return depth


def _within(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
