"""The application: every operation with its address, and what is done for all of them."""

from http import HTTPStatus
from typing import Final

from anyio import CapacityLimiter
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.api import campaigns, events, mailings
from console.api.guard import REQUEST_SECONDS, RequestGuard, guarded
from console.api.list_check import CampaignCheck
from console.api.openapi import Operation, document, event_body, json_body, list_body
from console.api.problems import Problem, answer_problem
from console.api.request_parsing import ApiContext, Handler, UnverifiedBodies, house, in_thread
from console.api.schemas import (
    Campaigns,
    CampaignTold,
    Cancelled,
    EventPage,
    Health,
    MailingPage,
    Mailings,
    MailingTold,
    NewCampaign,
    NewMailing,
    Page,
    Receipts,
    ReceiptTold,
    Taken,
    TakenBatch,
)
from console.api.tokens import Scope
from worker.clock import Clock, system_clock
from worker.settings import Settings

VERSION: Final = "1"
CONNECTIONS: Final = 16
_READS: Final = (400, 401, 403, 404)
_OURS: Final = (500, 503)
# A load balancer wants to know soon; a list of 256 MiB takes its time to arrive and to be read.
_SECONDS: Final = {"/readyz": 5.0, campaigns.PATH: 900.0}


async def alive(_: Request) -> Response:
    """Answer that the process is there."""
    return JSONResponse(Health(status="ok").model_dump())


async def ready(request: Request) -> Response:
    """Answer that the database is there too, with the tables of this version."""

    def look() -> None:
        with house(request).engine.connect() as connection:
            connection.execute(text("SELECT count(*) FROM event WHERE id = 0"))

    try:
        await in_thread(request, look)
    except SQLAlchemyError:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "not_ready",
            "The database is away, or has other tables: mailrun migrate.",
        ) from None
    return JSONResponse(Health(status="ok").model_dump())


async def describe(request: Request) -> Response:
    """Answer with the OpenAPI document."""
    return JSONResponse(request.app.state.document)


OPERATIONS: Final = (
    Operation(
        method="POST",
        path=events.PATH,
        summary="Take a signed CloudEvent, or a batch of them",
        handler=events.take,
        answers={202: (Taken, TakenBatch), 200: (Taken, TakenBatch)},
        problems=(400, 401, 403, 408, 409, 413, 415, *_OURS),
        body=event_body(),
        headers={"webhook-id": "required", "webhook-timestamp": "required", "webhook-signature": "required"},
        signed=True,
    ),
    Operation(
        method="GET",
        path=events.PATH,
        summary="List receipts, newest first",
        handler=events.browse,
        answers={200: Receipts},
        problems=(400, 401, 403, *_OURS),
        scope=Scope.EVENTS_READ,
        query=EventPage,
    ),
    Operation(
        method="GET",
        path=f"{events.PATH}/{{number}}",
        summary="Show what became of an event",
        handler=events.show,
        answers={200: ReceiptTold},
        problems=(*_READS, *_OURS),
        scope=Scope.EVENTS_READ,
    ),
    Operation(
        method="POST",
        path=mailings.PATH,
        summary="Queue a mailing to a few people, once under its key",
        handler=mailings.submit,
        answers={201: MailingTold, 200: MailingTold},
        problems=(400, 401, 403, 408, 409, 413, 415, 422, *_OURS),
        scope=Scope.MAILINGS_WRITE,
        body=json_body(NewMailing),
        headers={"Idempotency-Key": "required"},
    ),
    Operation(
        method="GET",
        path=mailings.PATH,
        summary="List mailings, newest first",
        handler=mailings.browse,
        answers={200: Mailings},
        problems=(400, 401, 403, *_OURS),
        scope=Scope.MAILINGS_READ,
        query=MailingPage,
    ),
    Operation(
        method="GET",
        path=f"{mailings.PATH}/{{number}}",
        summary="Show a mailing",
        handler=mailings.show,
        answers={200: MailingTold},
        problems=(*_READS, *_OURS),
        scope=Scope.MAILINGS_READ,
    ),
    Operation(
        method="DELETE",
        path=f"{mailings.PATH}/{{number}}",
        summary="Cancel a mailing that is not paid yet",
        handler=mailings.cancel,
        answers={200: Cancelled, 202: Cancelled},
        problems=(*_READS, 409, *_OURS),
        scope=Scope.MAILINGS_WRITE,
    ),
    Operation(
        method="POST",
        path=campaigns.PATH,
        summary="Queue the people of a list",
        handler=campaigns.submit,
        answers={201: CampaignTold, 200: (CampaignTold, CampaignCheck)},
        problems=(400, 401, 403, 408, 409, 413, 415, 422, *_OURS),
        scope=Scope.CAMPAIGNS_WRITE,
        query=NewCampaign,
        body=list_body(campaigns.LIST_TYPES),
        headers={"Idempotency-Key": "optional"},
    ),
    Operation(
        method="GET",
        path=campaigns.PATH,
        summary="List campaigns, newest first",
        handler=campaigns.browse,
        answers={200: Campaigns},
        problems=(400, 401, 403, *_OURS),
        scope=Scope.CAMPAIGNS_READ,
        query=Page,
    ),
    Operation(
        method="GET",
        path=f"{campaigns.PATH}/{{number}}",
        summary="Show a campaign",
        handler=campaigns.show,
        answers={200: CampaignTold},
        problems=(*_READS, *_OURS),
        scope=Scope.CAMPAIGNS_READ,
    ),
    Operation(
        method="DELETE",
        path=f"{campaigns.PATH}/{{number}}",
        summary="Cancel what of a campaign is not paid yet",
        handler=campaigns.cancel,
        answers={200: Cancelled, 202: Cancelled},
        problems=(*_READS, 409, *_OURS),
        scope=Scope.CAMPAIGNS_WRITE,
    ),
    Operation(
        method="GET",
        path="/healthz",
        summary="Whether the process is there",
        handler=alive,
        answers={200: Health},
    ),
    Operation(
        method="GET",
        path="/readyz",
        summary="Whether it can work: the database is there, migrated",
        handler=ready,
        answers={200: Health},
        problems=_OURS,
    ),
)


def build(engine: Engine, settings: Settings, *, clock: Clock = system_clock) -> Starlette:
    """Return the application on a database."""
    by_path: dict[str, dict[str, Handler]] = {"/openapi.json": {"GET": describe}}
    for one in OPERATIONS:
        by_path.setdefault(one.path, {})[one.method] = one.handler
    app = Starlette(
        routes=[
            Route(path, guarded(path, handlers, _SECONDS.get(path, REQUEST_SECONDS)), methods=list(handlers))
            for path, handlers in by_path.items()
        ],
        exception_handlers={HTTPException: answer_problem},
        middleware=[Middleware(RequestGuard)],
    )
    # An address with a slash too many is a mistake, not one to send a body to once more.
    app.router.redirect_slashes = False
    app.state.house = ApiContext(engine, settings, clock, CapacityLimiter(CONNECTIONS), UnverifiedBodies())
    app.state.document = document(OPERATIONS, VERSION)
    return app
