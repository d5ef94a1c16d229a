"""What goes wrong, as the caller gets it: one problem document for every error (RFC 9457)."""

import logging
from http import HTTPStatus
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from intake.campaigns.recent_pieces import RecentPiecesError
from intake.csv.workbooks import SeveralSheetsError
from intake.errors import ConflictError, ErrorCode, IntakeError
from worker.webhooks.signatures import SignatureError

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
_TYPE: Final = "urn:mailrun:problem:"
_STATUS: Final = {
    ErrorCode.NOT_AN_EVENT: HTTPStatus.BAD_REQUEST,
    ErrorCode.NOT_JSON: HTTPStatus.BAD_REQUEST,
    ErrorCode.TOO_DEEP: HTTPStatus.BAD_REQUEST,
    ErrorCode.UNKNOWN_FORMAT: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.OTHER_CONTENT: HTTPStatus.CONFLICT,
    ErrorCode.MAILED_LATELY: HTTPStatus.CONFLICT,
}


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An answer that is an error. ``code`` is stable; ``detail`` is a sentence, and quotes nobody's data."""

    def __init__(self, status: int, code: str, detail: str, **members: Any) -> None:  # noqa: ANN401 - JSON
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.members = members

    def response(self) -> Response:
        """Return it as an answer."""
        headers = {HTTPStatus.UNAUTHORIZED: {"www-authenticate": "Bearer"}}.get(HTTPStatus(self.status), {})
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers = {"retry-after": "5"}
        return JSONResponse(self.document(), self.status, headers, MEDIA_TYPE)

    def document(self) -> dict[str, Any]:
        """Return the members of the problem document (RFC 9457)."""
        return {
            "type": f"{_TYPE}{self.code.replace('_', '-')}",
            "title": HTTPStatus(self.status).phrase,
            "status": int(self.status),
            "detail": self.detail,
            **self.members,
        }


def problem_of(error: Exception) -> Problem:
    """Return what an exception is to the caller. Of one that is a fault of ours only the kind is logged."""
    if isinstance(error, Problem):
        return error
    match error:
        case IntakeError():
            return _of_intake(error)
        case SignatureError():
            return Problem(HTTPStatus.UNAUTHORIZED, "not_signed", str(error))
        case HTTPException():
            return _of_routing(error)
        case OperationalError() | PoolTimeout():
            log.warning("database_trouble: web: %s", type(error).__name__)
            return Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "database_away", "The database is away: nothing was stored."
            )
        case _:
            log.error("web_broke: %s", _place(error))
            return Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "own_fault",
                "An error of Mailrun's own; its log says where.",
            )


def _of_intake(error: IntakeError) -> Problem:
    status = _STATUS.get(error.fault, HTTPStatus.UNPROCESSABLE_ENTITY)
    members: dict[str, Any] = {}
    match error:
        case ConflictError(existing=existing):
            members = {"existing": existing}
        case SeveralSheetsError(sheets=sheets):
            members = {"sheets": list(sheets)}
        case RecentPiecesError(recent=recent):
            members = {"people": recent.people, "repeated": recent.repeated, "senders": recent.to_json()}
    return Problem(status, error.fault, str(error), **members)


def _of_routing(error: HTTPException) -> Problem:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return Problem(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return Problem(
            HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "That cannot be done with this address."
        )
    return Problem(error.status_code, "refused", str(error.detail))


def _place(error: Exception) -> str:
    # A database's message could quote a person; the place cannot.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    kind = type(error.orig).__name__ if isinstance(error, DBAPIError) else type(error).__name__
    return kind if trace is None else f"{kind} at {trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"


async def answer_problem(request: Request, error: Exception) -> Response:
    """Turn an exception of a handler into its problem document; the request's state keeps the code for the log."""
    problem = problem_of(error)
    request.state.code = problem.code
    response = problem.response()
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response
