"""What every handler asks of a request: its body within bounds, its bearer, its page, its key, its numbers."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final, TypeVar

from anyio import CapacityLimiter, fail_after, to_thread
from pydantic import BaseModel, ValidationError
from sqlalchemy import Engine
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from console.api.problems import Problem
from console.api.tokens import ApiClient, Scope, bearer_of
from intake.events.cloudevents import media_type, parsed_json
from intake.options import LONGEST_WORD, require_usable_key
from worker.clock import Clock
from worker.settings import Settings

Handler = Callable[[Request], Awaitable[Response]]
Model = TypeVar("Model", bound=BaseModel)
Word = TypeVar("Word", bound=StrEnum)
Result = TypeVar("Result")

LARGEST_ID: Final = 2**63 - 1
MOST_ON_A_PAGE: Final = 100
BODY_SECONDS: Final = 20.0
"""Seconds for a body of at most 2 MiB to arrive."""
MAX_UNVERIFIED_BYTES: Final = 32 * 2**20
"""Bytes of bodies, all requests together, whose signature is not verified yet."""
_PROBLEMS_TOLD: Final = 20
_OWNER_DIGITS: Final = 12


@dataclass(frozen=True)
class ApiContext:
    """What the handlers work with; kept in the application's state. `threads` bounds the database connections."""

    engine: Engine
    settings: Settings
    clock: Clock
    threads: CapacityLimiter
    unverified: "UnverifiedBodies"


class UnverifiedBodies:
    """Bounds the memory that clients without a verified signature may use, all together."""

    def __init__(self, most: int = MAX_UNVERIFIED_BYTES) -> None:
        self._most = most
        self._held = 0

    @contextmanager
    def hold(self) -> Iterator[Callable[[int], None]]:
        """Yield a function that adds bytes to this request's share; raises Problem 503 when none is left."""
        mine = 0

        def add(size: int) -> None:
            nonlocal mine
            if self._held + size > self._most:
                raise Problem(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "busy",
                    "Too many events are arriving: send it again later.",
                )
            mine += size
            self._held += size

        try:
            yield add
        finally:
            self._held -= mine


def house(request: Request) -> ApiContext:
    """Return what the handlers work with."""
    found: ApiContext = request.app.state.house
    return found


async def in_thread(request: Request, job: Callable[[], Result]) -> Result:
    """Do blocking work, most of all with the database, on a thread of its own."""
    # A database that stands still must not hold the request beyond its deadline; its thread ends later.
    return await to_thread.run_sync(job, limiter=house(request).threads, abandon_on_cancel=True)


async def body_of(request: Request, most: int, count: Callable[[int], None] = lambda _: None) -> bytes:
    """Return the body, of at most `most` bytes; `count` is told the size of each part as it arrives.

    Raises Problem: 413 if the body is longer (before it is read, if Content-Length says so), 408 if it takes longer
    than BODY_SECONDS, 400 if it breaks off.
    """
    _require_within(announced(request), most)
    parts: list[bytes] = []
    size = 0
    try:
        with fail_after(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                _require_within(size, most)
                count(len(part))
                parts.append(part)
    except ClientDisconnect:
        raise Problem(HTTPStatus.BAD_REQUEST, "broken_off", "The request broke off.") from None
    except TimeoutError:
        raise body_too_slow(BODY_SECONDS) from None
    return b"".join(parts)


def body_too_slow(seconds: float) -> Problem:
    """Return the problem of a body that did not arrive in time."""
    return Problem(
        HTTPStatus.REQUEST_TIMEOUT, "body_too_slow", f"The body did not arrive within {seconds:g} s."
    )


def announced(request: Request) -> int:
    """Return how many bytes the request says that its body has, 0 if it does not say; the server refuses odd ones."""
    return int(request.headers.get("content-length", "0"))


def _require_within(size: int, most: int) -> None:
    if size > most:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"A body here has at most {most:,} bytes."
        )


async def json_of(request: Request, model: type[Model], most: int) -> Model:
    """Return a JSON body as the model; raises Problem or EventError, naming the places that are wrong."""
    if media_type(request.headers.get("content-type", "")) != "application/json":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unknown_format", "The body must be application/json."
        )
    document = parsed_json(await body_of(request, most))
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise _invalid(error) from None


def query_of(request: Request, model: type[Model]) -> Model:
    """Return the query's parameters as the model; raises Problem for one that is wrong, unknown or given twice.

    Those that the model names in `several`, a class variable, may be given several times and make a list.
    """
    given: QueryParams = request.query_params
    several: frozenset[str] = getattr(model, "several", frozenset())
    if any(len(given.getlist(name)) > 1 for name in given if name not in several):
        raise Problem(HTTPStatus.BAD_REQUEST, "bad_query", "A parameter of the query is given twice.")
    try:
        return model.model_validate(
            {name: given.getlist(name) if name in several else given[name] for name in given}
        )
    except ValidationError as error:
        raise _invalid(error, HTTPStatus.BAD_REQUEST, "bad_query") from None


def _invalid(
    error: ValidationError, status: int = HTTPStatus.UNPROCESSABLE_ENTITY, code: str = "invalid"
) -> Problem:
    found: list[dict[str, Any]] = [
        {
            "pointer": "/" + "/".join(str(step)[:60] for step in problem["loc"]),
            "detail": problem["msg"].removeprefix("Value error, "),
        }
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    first = found[0]
    detail = f"{first['pointer']}: {first['detail']}"
    return Problem(status, code, detail, errors=found[:_PROBLEMS_TOLD])


async def require(request: Request, scope: Scope) -> ApiClient:
    """Return who asks; raises Problem unless their token is good for the scope."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Problem(HTTPStatus.UNAUTHORIZED, "no_token", "A bearer token is needed: mailrun token create.")

    def look() -> ApiClient | None:
        here = house(request)
        with here.engine.begin() as connection:
            return bearer_of(connection, token.strip(), here.clock())

    bearer = await in_thread(request, look)
    if bearer is None:
        raise Problem(
            HTTPStatus.UNAUTHORIZED, "unknown_token", "The token is unknown, has expired or was revoked."
        )
    request.state.caller = f"token:{bearer.name}"
    if scope not in bearer.scopes:
        raise Problem(HTTPStatus.FORBIDDEN, "scope_missing", f"The token is not good for {scope}.")
    return bearer


def number_of(request: Request) -> int:
    """Return the number in the path; raises Problem for what can be no number of ours."""
    text = request.path_params["number"]
    if text.isascii() and text.isdecimal() and 0 < len(text) < len(str(LARGEST_ID)):
        return int(text)
    raise Problem(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")


def idempotency_key(request: Request, bearer: ApiClient) -> str | None:
    """Return the key of a submission, which belongs to the token's owner; None if the request names none.

    The draft standard puts quotes around the key. Two owners who use the same key submit two things.
    Raises IntakeError for a key that cannot be used.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    quoted = key.strip()
    bare = quoted[1:-1] if len(quoted) > 1 and quoted[0] == quoted[-1] == '"' else quoted
    owner = sha256(bearer.submitter.encode()).hexdigest()[:_OWNER_DIGITS]
    require_usable_key(bare, longest=LONGEST_WORD - _OWNER_DIGITS - 1)
    return f"{owner}/{bare}"
