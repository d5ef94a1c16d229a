"""Campaigns over HTTP: a list is streamed to a file, checked and queued; then looked at, or cancelled."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import BinaryIO, Final, cast

from anyio import fail_after
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from console.api.list_check import check_list
from console.api.mailings import options_of
from console.api.pagination import next_page
from console.api.problems import Problem
from console.api.request_parsing import (
    announced,
    body_too_slow,
    house,
    idempotency_key,
    in_thread,
    number_of,
    query_of,
    require,
)
from console.api.schemas import Campaigns, CampaignTold, Cancelled, NewCampaign, Page, SendOptions
from console.api.tokens import Scope
from console.queries import campaigns
from console.queries.campaigns import CampaignProgress
from intake.campaigns.submit import Submission, submit_campaign
from intake.events.cloudevents import media_type
from models import OPEN, State
from worker import transitions
from worker.transitions import CancelOutcome

PATH: Final = "/v1/campaigns"
LARGEST_LIST: Final = 256 * 2**20
"""Some two million people; what is larger is better cut than lost halfway through an upload."""

# 256 MiB in five minutes is 7 Mbit/s.
_UPLOAD_SECONDS: Final = 300.0
LIST_TYPES: Final = (
    "text/csv",
    "application/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
)
# What of a query says how the list is read or checked; the rest are options of its mailings.
_OF_THE_LIST: Final = {"name", "again", "sheet", "mapping", "dry_run"}

_ACTOR: Final = "token "


async def submit(request: Request) -> Response:
    """Queue a list's people: 201, or 200 if the same list was submitted before, or for a dry run."""
    bearer = await require(request, Scope.CAMPAIGNS_WRITE)
    wanted = query_of(request, NewCampaign)
    if media_type(request.headers.get("content-type", "")) not in LIST_TYPES:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unknown_format",
            f"The body must be the list, with its content type: {', '.join(LIST_TYPES)}.",
        )
    asked = wanted.model_dump(exclude=_OF_THE_LIST, exclude_none=True)
    mapping = dict(_pair(one) for one in wanted.mapping) or None
    options = options_of(request, SendOptions.model_validate(asked), bearer)
    here, key = house(request), idempotency_key(request, bearer)
    with _spool() as file:
        await _receive(request, file)
        if wanted.dry_run:
            found = await in_thread(request, lambda: check_list(here, file, wanted, mapping))
            return JSONResponse(found.model_dump(mode="json"))

        def job() -> tuple[Submission, CampaignProgress | None]:
            name = wanted.name or "uploaded list"
            done = submit_campaign(
                here.engine,
                file,
                options,
                name=name,
                key=key,
                mapping=mapping,
                sheet=wanted.sheet,
                again=wanted.again,
                repeat_window=here.settings.repeat_window,
                submitted_by=bearer.submitter,
                submitter_token=bearer.name,
                clock=here.clock,
            )
            with here.engine.connect() as connection:
                return done, campaigns.campaign(connection, done.campaign_id)

        done, standing = await in_thread(request, job)
    status = HTTPStatus.CREATED if done.created else HTTPStatus.OK
    answer = told(standing)
    return JSONResponse(answer.model_dump(mode="json"), status, {"location": answer.url})


def _pair(text: str) -> tuple[str, str]:
    heading, _, field = text.rpartition("=")
    return heading, field


@contextmanager
def _spool() -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as file:
        yield cast("BinaryIO", file)


async def _receive(request: Request, file: BinaryIO) -> None:
    size = 0
    _require_within(announced(request))
    try:
        with fail_after(_UPLOAD_SECONDS):
            async for part in request.stream():
                size += len(part)
                _require_within(size)
                await in_thread(request, lambda part=part: file.write(part))  # type: ignore[misc]
    except TimeoutError:
        raise body_too_slow(_UPLOAD_SECONDS) from None
    except ClientDisconnect:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "broken_off", "The upload broke off: nothing was queued."
        ) from None
    file.seek(0)


def _require_within(size: int) -> None:
    if size > LARGEST_LIST:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            f"A list here has at most {LARGEST_LIST:,} bytes: cut it into several.",
        )


async def show(request: Request) -> Response:
    """Answer with one campaign."""
    await require(request, Scope.CAMPAIGNS_READ)
    number = number_of(request)

    def look() -> CampaignProgress | None:
        with house(request).engine.connect() as connection:
            return campaigns.campaign(connection, number)

    return JSONResponse(told(await in_thread(request, look)).model_dump(mode="json"))


async def browse(request: Request) -> Response:
    """Answer with a page of campaigns."""
    await require(request, Scope.CAMPAIGNS_READ)
    page = query_of(request, Page)

    def look() -> list[CampaignProgress]:
        with house(request).engine.connect() as connection:
            return campaigns.list_campaigns(connection, page.limit, page.before)

    found = await in_thread(request, look)
    after = next_page(PATH, page, [one.id for one in found])
    return JSONResponse(Campaigns(items=[told(one) for one in found], next=after).model_dump(mode="json"))


async def cancel(request: Request) -> Response:
    """Cancel every mailing of a campaign that is not paid yet; 409 if none is left to cancel."""
    bearer = await require(request, Scope.CAMPAIGNS_WRITE)
    number = number_of(request)
    here = house(request)

    def job() -> list[CancelOutcome] | None:
        with here.engine.connect() as connection:
            if campaigns.campaign(connection, number) is None:
                return None
            left = campaigns.mailings_in(connection, number, *OPEN)
        outcomes = []
        for mailing_id in left:
            with here.engine.begin() as connection:
                outcomes.append(
                    transitions.cancel(connection, mailing_id, _ACTOR + bearer.name, here.clock())
                )
        return outcomes

    outcomes = await in_thread(request, job)
    if outcomes is None:
        raise _no_campaign()
    if not outcomes:
        raise Problem(HTTPStatus.CONFLICT, "ended", "It has ended: there is nothing left to cancel.")
    answer = Cancelled(
        cancelled=outcomes.count(CancelOutcome.CANCELLED) + outcomes.count(CancelOutcome.ENDED),
        requested=outcomes.count(CancelOutcome.REQUESTED),
        too_late=outcomes.count(CancelOutcome.TOO_LATE),
    )
    return JSONResponse(answer.model_dump(), HTTPStatus.ACCEPTED if answer.requested else HTTPStatus.OK)


def _no_campaign() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "not_found", "There is no such campaign.")


def told(standing: CampaignProgress | None) -> CampaignTold:
    """Return a campaign as the interface shows it; raises Problem if there is none."""
    if standing is None:
        raise _no_campaign()
    return CampaignTold(
        id=standing.id,
        url=f"{PATH}/{standing.id}",
        name=standing.name,
        status=standing.status,
        rows=standing.rows,
        people=standing.people,
        rejected=standing.rejected,
        mailings=standing.mailings,
        states={state: standing.count(state) for state in State},
        quoted=standing.quoted,
        quoted_from_credits=standing.quoted_from_credits,
        charged=standing.charged,
        charged_from_credits=standing.charged_from_credits,
        created_at=standing.created_at,
    )
