"""Answers as they go over the wire: two envelopes, and bodies of errors that vary as the vendor's do."""

from dataclasses import dataclass

from pydantic_core import to_json

from sandbox.http.requests import Answer, RefusedError
from sandbox.settings import ListMembers, MemberCase, Settings

# The members that hold the list where an answer is one.
LIST_MEMBERS = frozenset({"orders", "recipients", "templates", "fonts"})
_WARNING = "This call will change in a later version"
JSON_TYPE = (b"content-type", b"application/json; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete HTTP answer; the length and the request id are added when it is sent."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (JSON_TYPE,)


def json_reply(status: int, content: object) -> Reply:
    """Return an answer with this JSON content."""
    return Reply(status, to_json(content))


def answered(answer: Answer, nth: int, settings: Settings) -> Reply:
    """Return a 200; the envelope, and what `payload.status` says, change from call to call."""
    if answer.bare:
        return json_reply(200, answer.payload)
    payload = answer.payload
    if isinstance(payload, dict) and "orderId" in payload:
        payload = {"status": "Draft" if nth % 3 == 0 else "Success", **payload}
    if isinstance(payload, dict) and settings.list_members is ListMembers.MISSING:
        payload = {name: value for name, value in payload.items() if name not in LIST_MEMBERS}
    return json_reply(200, _cased(_envelope(payload, [], nth, warned=settings.warnings), settings))


def refused(error: RefusedError, nth: int, settings: Settings) -> Reply:
    """Return the refusal in an envelope, with its reasonCode and, now and then, a message beside it."""
    extra: dict[str, object] = {} if error.reason is None else {"reasonCode": error.reason}
    if nth % 2:
        extra["message"] = error.message
    return json_reply(error.status, _cased({**_envelope(None, [error.message], nth), **extra}, settings))


def unauthorised(nth: int) -> Reply:
    """Return a 401: a bare JSON string, an envelope or nothing, in turn."""
    message = "Unauthorized: the API key is not valid"
    return _in_turn(nth, 401, message, _envelope(None, [message], nth))


def forbidden(nth: int) -> Reply:
    """Return a 403: the object of an authentication framework, an envelope or nothing, in turn."""
    schemes = {"authenticationSchemes": ["ApiKey"], "properties": {"items": {}, "parameters": {}}}
    return _in_turn(nth, 403, schemes, _envelope(None, ["Your plan does not include the API"], nth))


def failed(status: int, nth: int) -> Reply:
    """Return a 5xx: an envelope with a reasonCode, or a page of the proxy in front."""
    if nth % 2:
        return json_reply(
            status, {**_envelope(None, ["Something went wrong"], nth), "reasonCode": "Internal"}
        )
    page = f"<html><body><h1>{status}</h1></body></html>".encode()
    return Reply(status, page, ((b"content-type", b"text/html"),))


def too_many(retry_after: int, nth: int) -> Reply:
    """Return a 429 that asks to wait this many seconds."""
    body = json_reply(429, _envelope(None, ["Too many requests"], nth))
    return Reply(429, body.body, (JSON_TYPE, (b"retry-after", str(retry_after).encode())))


def pascal(name: str) -> str:
    """Return a member's name with a capital in front."""
    return name[:1].upper() + name[1:]


def _cased(content: object, settings: Settings) -> object:
    return content if settings.member_case is MemberCase.CAMEL else _pascal_members(content)


def _pascal_members(content: object) -> object:
    match content:
        case dict():
            return {pascal(name): _pascal_members(value) for name, value in content.items()}
        case list():
            return [_pascal_members(value) for value in content]
        case _:
            return content


def _in_turn(nth: int, status: int, first: object, second: object) -> Reply:
    match nth % 3:
        case 0:
            return json_reply(status, first)
        case 1:
            return json_reply(status, second)
        case _:
            return Reply(status, b"")


def _envelope(payload: object, errors: list[str], nth: int, *, warned: bool = False) -> dict[str, object]:
    warnings = [_WARNING] if warned else []
    if nth % 2:
        return {
            "profile": None,
            "payload": payload,
            "errors": errors,
            "hasErrors": bool(errors),
            "warnings": warnings,
            "hasWarnings": warned,
            "metadata": None,
        }
    return {
        "payload": payload,
        "errors": errors,
        "errorDetails": [],
        "warnings": warnings,
        "hasErrors": bool(errors),
        "hasWarnings": warned,
    }
