"""What is done for every request before and after its handler: refusals, the deadline, and one line in the log."""

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from anyio import fail_after
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from console.api.problems import Problem, answer_problem
from console.api.request_parsing import Handler

log = logging.getLogger(__name__)

REQUEST_SECONDS: Final = 30.0
"""Seconds for a request: above every statement of a page, below the patience of most clients."""
_READS: Final = frozenset({"GET", "HEAD"})
_IDENTITY: Final = frozenset({b"", b"identity"})


class RequestGuard:
    """Refuses what no handler may see: escaped paths and encoded bodies.

    A proxy that matches paths by prefix and this service must read a path alike. Our paths need no escapes, so a path
    that holds one is unknown.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404 or 415, or hand the request on."""
        problem = _problem_with(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await problem.response()(scope, receive, send)


def _problem_with(scope: Scope) -> Problem | None:
    if b"%" in scope.get("raw_path", b""):
        return Problem(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")
    encodings = {value.strip().lower() for name, value in scope["headers"] if name == b"content-encoding"}
    if not encodings <= _IDENTITY:
        return Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "encoded_body",
            "Send the body without Content-Encoding: compressed bodies are not read.",
        )
    return None


def guarded(route: str, handlers: Mapping[str, Handler], seconds: float = REQUEST_SECONDS) -> Handler:
    """Return one handler for all methods of a route, with its deadline, its request id and its log line."""

    async def handle(request: Request) -> Response:
        request.state.request_id = secrets.token_hex(8)
        response = await _answer(
            request, handlers["GET" if request.method == "HEAD" else request.method], seconds
        )
        response.headers["x-request-id"] = request.state.request_id
        _log(request, route, response)
        return response

    return handle


async def _answer(request: Request, handler: Handler, seconds: float) -> Response:
    try:
        with fail_after(seconds) as deadline:
            return await handler(request)
    except TimeoutError as error:
        return await answer_problem(request, _too_slow(seconds) if deadline.cancelled_caught else error)
    except Exception as error:  # noqa: BLE001 - the top: the caller gets a problem document whatever was raised
        return await answer_problem(request, error)


def _too_slow(seconds: float) -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "too_slow",
        f"The database did not answer within {seconds:g} s. A write may still take effect: "
        "repeat the request, under the same key.",
    )


def _log(request: Request, route: str, response: Response) -> None:
    """Write one line for a refused caller and one for a write; the line holds no token, key or body."""
    refused = response.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    if not refused and (request.method in _READS or response.status_code >= HTTPStatus.BAD_REQUEST):
        return
    log.log(
        logging.WARNING if refused else logging.INFO,
        "%s caller=%s client=%s method=%s route=%s status=%d code=%s request=%s",
        "http_refused" if refused else "http_write",
        getattr(request.state, "caller", "-"),
        request.client.host if request.client else "-",
        request.method,
        route,
        response.status_code,
        getattr(request.state, "code", "-"),
        request.state.request_id,
    )
