"""Events over HTTP: taken once they are signed and written down, and their receipts."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.api.pagination import next_page
from console.api.problems import Problem
from console.api.request_parsing import body_of, house, in_thread, number_of, query_of, require
from console.api.schemas import AnswerTold, EventPage, Receipts, ReceiptTold, Taken
from console.api.tokens import Scope
from intake.events.cloudevents import BATCH, STRUCTURED, CloudEvent, is_binary, media_type, read_events
from intake.events.inbox import Received, receive
from intake.events.receipts import Receipt, list_receipts, receipt
from worker.webhooks.event_secrets import EventSecret, parse_secrets, signers
from worker.webhooks.signatures import signature_headers

PATH: Final = "/v1/events"
LARGEST_EVENT: Final = 262_144
LARGEST_BATCH: Final = 1_048_576
# In binary mode all other ce- headers are ignored: an attacker could add them to a captured message.
_COVERED: Final = ("content-type", "ce-specversion", "ce-id", "ce-source", "ce-type")


async def take(request: Request) -> Response:
    """Take an event or a batch: 202 once it is stored, 200 if all of it was stored before."""
    kind = media_type(request.headers.get("content-type", ""))
    here = house(request)
    if here.settings.event_secrets is None:
        raise Problem(
            HTTPStatus.FORBIDDEN, "no_secrets", "Events are not accepted: MAILRUN_EVENT_SECRETS is not set."
        )
    signature_headers(request.headers)
    secrets = parse_secrets(here.settings.event_secrets.get_secret_value())
    with here.unverified.hold() as count:
        body = await body_of(request, LARGEST_BATCH if kind == BATCH else LARGEST_EVENT, count)
        events = _verified(request, secrets, kind, body)
    received = await in_thread(request, lambda: receive(here.engine, events, clock=here.clock))
    status = HTTPStatus.ACCEPTED if any(one.created for one in received) else HTTPStatus.OK
    taken = [_taken(one) for one in received]
    if kind == BATCH:
        return JSONResponse({"receipts": taken}, status)
    return JSONResponse(taken[0], status, {"location": str(taken[0]["url"])})


def _verified(
    request: Request, secrets: Sequence[EventSecret], kind: str, body: bytes
) -> tuple[CloudEvent, ...]:
    """Return the events of a message whose signature covers them; raises Problem, SignatureError or EventError."""
    found = signers(secrets, request.headers, body)
    request.state.caller = "signature"
    if kind in {STRUCTURED, BATCH} or not is_binary(request.headers):
        events = read_events(request.headers, body)
    else:
        events = _binary_event(request, found, body)
    if not any(all(secret.allows(event.source, event.type) for event in events) for secret in found):
        raise Problem(
            HTTPStatus.FORBIDDEN, "not_yours", "This secret is bound to other sources or types of events."
        )
    return events


def _binary_event(request: Request, found: Sequence[EventSecret], body: bytes) -> tuple[CloudEvent, ...]:
    """Read an event whose attributes are headers, which the signature does not cover.

    The signature covers webhook-id and the body; source and type must be what the secret itself names.
    """
    if not house(request).settings.event_binary_mode:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "binary_mode_off",
            f"Send the event as {STRUCTURED}, or set MAILRUN_EVENT_BINARY_MODE=true.",
        )
    if not any(secret.names_one_event for secret in found):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "secret_not_bound",
            "Binary mode needs a secret bound to one source and one type: whsec_...;source=...;type=...",
        )
    if request.headers.get("ce-id") != request.headers.get("webhook-id"):
        raise Problem(
            HTTPStatus.UNAUTHORIZED, "id_not_signed", "In binary mode ce-id must be the same as webhook-id."
        )
    covered = {name: request.headers[name] for name in _COVERED if name in request.headers}
    return read_events(covered, body)


def _taken(received: Received) -> dict[str, object]:
    return Taken(receipt=received.number, url=_url(received.number), created=received.created).model_dump()


def _url(number: int) -> str:
    return f"{PATH}/{number}"


async def show(request: Request) -> Response:
    """Answer with one receipt."""
    await require(request, Scope.EVENTS_READ)
    number = number_of(request)

    def look() -> Receipt | None:
        with house(request).engine.connect() as connection:
            return receipt(connection, number)

    found = await in_thread(request, look)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "not_found", f"There is no event {number}.")
    return JSONResponse(told(found).model_dump(mode="json"))


async def browse(request: Request) -> Response:
    """Answer with a page of receipts."""
    await require(request, Scope.EVENTS_READ)
    page = query_of(request, EventPage)

    def look() -> list[Receipt]:
        with house(request).engine.connect() as connection:
            return list_receipts(
                connection,
                limit=page.limit,
                before=page.before,
                outcome=page.outcome,
                source=page.source,
                kind=page.type,
            )

    found = await in_thread(request, look)
    after = next_page(PATH, page, [one.number for one in found])
    return JSONResponse(Receipts(items=[told(one) for one in found], next=after).model_dump(mode="json"))


def told(found: Receipt) -> ReceiptTold:
    """Return a receipt as the interface shows it."""
    return ReceiptTold(
        receipt=found.number,
        url=_url(found.number),
        source=found.source,
        id=found.id,
        type=found.type,
        received_at=found.received_at,
        outcome=found.outcome,
        reason=found.reason,
        answers=[AnswerTold.model_validate(one, from_attributes=True) for one in found.answers],
    )
