"""Mailings over HTTP: order one under a key of your own, look at it, cancel it."""

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.api.pagination import next_page
from console.api.problems import Problem
from console.api.request_parsing import (
    house,
    idempotency_key,
    in_thread,
    json_of,
    number_of,
    query_of,
    require,
)
from console.api.schemas import (
    Cancelled,
    MailingPage,
    Mailings,
    MailingTold,
    NewMailing,
    NewPerson,
    SendOptions,
)
from console.api.tokens import ApiClient, Scope
from console.queries import mailings
from console.queries.mailings import MailingFacts
from intake.mailings import SubmittedMailing, submit_mailing
from intake.options import Options
from intake.reasons import Reason
from intake.recipients.fields import MERGE_FIELDS
from intake.recipients.recipient import Recipient
from intake.recipients.validator import AddressValidator, RecipientDraft
from intake.schedule_options import ScheduleOptions, schedule_for
from models import Approval
from worker import transitions
from worker.recipients.policy import FrequencyCap, RecipientPolicy
from worker.transitions import CancelOutcome

PATH: Final = "/v1/mailings"
LARGEST: Final = 2_097_152
_ACTOR: Final = "token "
_REASONS_TOLD: Final = 50


async def submit(request: Request) -> Response:
    """Queue a mailing: 201, or 200 if its key was used for the same before."""
    bearer = await require(request, Scope.MAILINGS_WRITE)
    key = idempotency_key(request, bearer)
    if key is None:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "no_key",
            "An Idempotency-Key header is needed, so that nobody is mailed twice.",
        )
    wanted = await json_of(request, NewMailing, LARGEST)
    people = _admitted(wanted)
    options = options_of(request, wanted, bearer)
    here = house(request)

    def job() -> tuple[SubmittedMailing, MailingFacts | None]:
        done = submit_mailing(
            here.engine,
            people,
            options,
            key=key,
            submitted_by=bearer.submitter,
            submitter_token=bearer.name,
            clock=here.clock,
        )
        with here.engine.connect() as connection:
            return done, mailings.mailing(connection, done.mailing_id)

    done, facts = await in_thread(request, job)
    status = HTTPStatus.CREATED if done.created else HTTPStatus.OK
    return JSONResponse(told(facts).model_dump(mode="json"), status, {"location": _url(done.mailing_id)})


def _admitted(wanted: NewMailing) -> list[Recipient]:
    gate = AddressValidator(strictness=wanted.strictness)
    admitted: list[Recipient] = []
    refused: list[dict[str, str]] = []
    for at, person in enumerate(wanted.recipients):
        _require_known_fields(at, person)
        found = gate.admit(RecipientDraft(**person.model_dump(exclude={"merge"})), person.merge)
        if isinstance(found, Recipient):
            admitted.append(found)
        else:
            refused += [_refusal(at, reason) for reason in found]
    if refused:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "not_mailable",
            f"Nothing was queued: {refused[0]['pointer']}: {refused[0]['detail']}",
            errors=refused[:_REASONS_TOLD],
        )
    return admitted


def _require_known_fields(at: int, person: NewPerson) -> None:
    unknown = sorted(person.merge.keys() - set(MERGE_FIELDS))
    if unknown:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            f"/recipients/{at}/merge: there are {', '.join(MERGE_FIELDS)}",
        )


def _refusal(at: int, reason: Reason) -> dict[str, str]:
    return {"pointer": f"/recipients/{at}", "code": reason.code, "detail": reason.sentence}


def options_of(request: Request, wanted: SendOptions, bearer: ApiClient) -> Options:
    """Return what a request asks for as options; raises IntakeError or Problem.

    A token that is bound to approval makes every submission wait for an approver.
    """
    try:
        cap = None if wanted.cap is None else FrequencyCap.parse(wanted.cap)
    except ValueError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", f"/cap: {error}") from None
    asked = ScheduleOptions(
        send_at=wanted.send_at,
        hold_until=wanted.hold_until,
        hold_mode=wanted.hold_mode,
        deliver_by=wanted.deliver_by,
        if_late=wanted.if_late,
        zone=wanted.zone,
    )
    here = house(request)
    return Options(
        template_id=wanted.template,
        postage=wanted.postage,
        speed=wanted.speed,
        approval=Approval.REQUIRED if bearer.approval_required else Approval(wanted.approval),
        auto_bill=wanted.auto_bill,
        schedule=schedule_for(asked, now=here.clock(), default_zone=here.settings.zone),
        sparing=RecipientPolicy(
            lists=tuple(wanted.suppress), cap=cap, one_per_household=wanted.one_per_household
        ),
        strictness=wanted.strictness,
    )


async def show(request: Request) -> Response:
    """Answer with one mailing."""
    await require(request, Scope.MAILINGS_READ)
    return JSONResponse(told(await _found(request)).model_dump(mode="json"))


async def _found(request: Request) -> MailingFacts | None:
    number = number_of(request)

    def look() -> MailingFacts | None:
        with house(request).engine.connect() as connection:
            return mailings.mailing(connection, number)

    return await in_thread(request, look)


async def browse(request: Request) -> Response:
    """Answer with a page of mailings."""
    await require(request, Scope.MAILINGS_READ)
    page = query_of(request, MailingPage)

    def look() -> list[MailingFacts]:
        with house(request).engine.connect() as connection:
            return mailings.list_mailings(
                connection, campaign_id=page.campaign, state=page.state, before=page.before, limit=page.limit
            )

    found = await in_thread(request, look)
    after = next_page(PATH, page, [one.id for one in found])
    return JSONResponse(Mailings(items=[told(one) for one in found], next=after).model_dump(mode="json"))


async def cancel(request: Request) -> Response:
    """Cancel a mailing, or have it cancelled before its next write; 409 once it is paid or has ended."""
    bearer = await require(request, Scope.MAILINGS_WRITE)
    number = number_of(request)
    here = house(request)

    def job() -> CancelOutcome:
        with here.engine.begin() as connection:
            return transitions.cancel(connection, number, _ACTOR + bearer.name, here.clock())

    outcome = await in_thread(request, job)
    match outcome:
        case CancelOutcome.UNKNOWN:
            raise _no_mailing()
        case CancelOutcome.TOO_LATE:
            raise Problem(
                HTTPStatus.CONFLICT, "too_late", "It is paid: only LettrLabs' support can stop it now."
            )
        case CancelOutcome.ENDED:
            raise Problem(HTTPStatus.CONFLICT, "ended", "It has ended: there is nothing left to cancel.")
        case _:
            at_once = outcome is CancelOutcome.CANCELLED
            answer = Cancelled(cancelled=int(at_once), requested=int(not at_once), too_late=0)
            return JSONResponse(answer.model_dump(), HTTPStatus.OK if at_once else HTTPStatus.ACCEPTED)


def _no_mailing() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "not_found", "There is no such mailing.")


def _url(number: int) -> str:
    return f"{PATH}/{number}"


def told(facts: MailingFacts | None) -> MailingTold:
    """Return a mailing as the interface shows it; raises Problem if there is none."""
    if facts is None:
        raise _no_mailing()
    return MailingTold(
        id=facts.id,
        url=_url(facts.id),
        campaign=facts.campaign_id,
        stage=facts.stage,
        state=facts.state,
        order=facts.order_id,
        template=facts.template_id,
        size=facts.size,
        accepted=facts.accepted,
        rejected=facts.rejected,
        quoted=facts.quoted,
        quoted_from_credits=facts.quoted_from_credits,
        charged=facts.charged,
        charged_from_credits=facts.charged_from_credits,
        reason_code=facts.reason_code,
        reason=facts.reason,
        send_at=facts.send_at,
        created_at=facts.created_at,
        updated_at=facts.updated_at,
    )
