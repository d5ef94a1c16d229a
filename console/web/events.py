"""Events over HTTP: taken once they are signed and written down, and their receipts."""

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.web.paging import next_page
from console.web.problems import Problem
from console.web.requests import body_of, house, in_thread, number_of, query_of, require
from console.web.shapes import AnswerTold, EventPage, Receipts, ReceiptTold, Taken
from console.web.tokens import Scope
from intake.cloudevents import BATCH, media_type, read_events
from intake.events import Received, receive
from intake.receipts import Receipt, list_receipts, receipt
from worker.signatures import verify

PATH: Final = "/v1/events"
LARGEST_EVENT: Final = 262_144
LARGEST_BATCH: Final = 1_048_576


async def take(request: Request) -> Response:
    """Take an event or a batch: 202 once it is written down, 200 if all of it was there before."""
    batched = media_type(request.headers.get("content-type", "")) == BATCH
    body = await body_of(request, LARGEST_BATCH if batched else LARGEST_EVENT)
    keys = house(request).settings.event_secrets
    if keys is None:
        raise Problem(
            HTTPStatus.FORBIDDEN, "no_secrets", "Events are not taken: MAILRUN_EVENT_SECRETS is not set."
        )
    verify(keys.get_secret_value().split(), request.headers, body)
    events = read_events(request.headers, body)
    here = house(request)
    received = await in_thread(request, lambda: receive(here.engine, events, clock=here.clock))
    status = HTTPStatus.ACCEPTED if any(one.created for one in received) else HTTPStatus.OK
    taken = [_taken(one) for one in received]
    if batched:
        return JSONResponse({"receipts": taken}, status)
    return JSONResponse(taken[0], status, {"location": str(taken[0]["url"])})


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
