"""What every handler asks of a request: its body within bounds, its bearer, its page, its key, its numbers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, TypeVar

from anyio import CapacityLimiter, to_thread
from pydantic import BaseModel, ValidationError
from sqlalchemy import Engine
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from console.web.problems import Problem
from console.web.tokens import Bearer, Scope, bearer_of
from intake.cloudevents import media_type, parsed_json
from worker.clock import Clock
from worker.settings import Settings

Handler = Callable[[Request], Awaitable[Response]]
Model = TypeVar("Model", bound=BaseModel)
Word = TypeVar("Word", bound=StrEnum)
Result = TypeVar("Result")

LARGEST_ID: Final = 2**63 - 1
MOST_ON_A_PAGE: Final = 100
_PROBLEMS_TOLD: Final = 20


@dataclass(frozen=True)
class House:
    """What the handlers work with; kept in the application's state. `threads` bounds the database connections."""

    engine: Engine
    settings: Settings
    clock: Clock
    threads: CapacityLimiter


def house(request: Request) -> House:
    """Return what the handlers work with."""
    found: House = request.app.state.house
    return found


async def in_thread(request: Request, work: Callable[[], Result]) -> Result:
    """Do blocking work, most of all with the database, on a thread of its own."""
    return await to_thread.run_sync(work, limiter=house(request).threads)


async def body_of(request: Request, most: int) -> bytes:
    """Return the body; raises Problem if it is longer than `most` bytes, before it is read whenever it says so."""
    _require_within(announced(request), most)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            _require_within(size, most)
            parts.append(part)
    except ClientDisconnect:
        raise Problem(HTTPStatus.BAD_REQUEST, "broken_off", "The request broke off.") from None
    return b"".join(parts)


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


async def require(request: Request, scope: Scope) -> Bearer:
    """Return who asks; raises Problem unless their token is good for the scope."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Problem(HTTPStatus.UNAUTHORIZED, "no_token", "A bearer token is needed: mailrun token create.")

    def look() -> Bearer | None:
        with house(request).engine.connect() as connection:
            return bearer_of(connection, token.strip())

    bearer = await in_thread(request, look)
    if bearer is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "unknown_token", "The token is unknown, or was revoked.")
    if scope not in bearer.scopes:
        raise Problem(HTTPStatus.FORBIDDEN, "scope_missing", f"The token is not good for {scope}.")
    return bearer


def number_of(request: Request) -> int:
    """Return the number in the path; raises Problem for what can be no number of ours."""
    text = request.path_params["number"]
    if text.isascii() and text.isdecimal() and 0 < len(text) < len(str(LARGEST_ID)):
        return int(text)
    raise Problem(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")


def idempotency_key(request: Request) -> str | None:
    """Return the Idempotency-Key, with or without the quotes that its draft standard puts around it."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    quoted = key.strip()
    return quoted[1:-1] if len(quoted) > 1 and quoted[0] == quoted[-1] == '"' else quoted
