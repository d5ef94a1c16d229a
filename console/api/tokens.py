"""Bearer tokens: who may do what over HTTP. A token is shown once; the database keeps its hash alone."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from models import Token

PREFIX: Final = "mailrun_"
_BYTES: Final = 32
_LONGEST: Final = 200
_USE_PRECISION: Final = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token may be good for."""

    EVENTS_READ = "events:read"
    MAILINGS_READ = "mailings:read"
    MAILINGS_WRITE = "mailings:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"


@dataclass(frozen=True, slots=True)
class ApiClient:
    """A token's name, its owner, and its scopes."""

    name: str
    scopes: frozenset[str]
    owner: str | None = None
    approval_required: bool = False

    @property
    def submitter(self) -> str:
        """Return the name that a submission is recorded under: the owner, who may not approve it alone."""
        return self.owner or f"token {self.name}"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token as it may be shown."""

    id: int
    name: str
    owner: str | None
    scopes: list[str]
    approval_required: bool
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def create_token(
    connection: Connection,
    name: str,
    scopes: Iterable[Scope],
    *,
    owner: str | None = None,
    expires_at: datetime | None = None,
    approval_required: bool = False,
) -> str | None:
    """Create a token and return it, the only time that it is visible; None if the name is or was in use."""
    token = PREFIX + secrets.token_urlsafe(_BYTES)
    statement = insert(Token).values(
        name=name,
        owner=owner,
        sha256=_hash(token),
        scopes=[str(scope) for scope in scopes],
        expires_at=expires_at,
        approval_required=approval_required,
    )
    made = connection.scalar(
        statement.on_conflict_do_nothing(index_elements=[Token.name]).returning(Token.id)
    )
    return None if made is None else token


def token_id(connection: Connection, name: str) -> int | None:
    """Return the number of a token, which its budget is kept under; None if there is no such token."""
    return connection.scalar(select(Token.id).where(Token.name == name))


def list_tokens(connection: Connection) -> list[TokenFacts]:
    """Return all tokens, revoked and expired ones too, by name."""
    columns = [getattr(Token, field.name) for field in fields(TokenFacts)]
    return [TokenFacts(*row) for row in connection.execute(select(*columns).order_by(Token.name))]


def revoke_token(connection: Connection, name: str, now: datetime) -> bool:
    """Take a token's rights away from the next request on; False if there is none of this name, or not any more."""
    statement = update(Token).where(Token.name == name, Token.revoked_at.is_(None)).values(revoked_at=now)
    return connection.execute(statement).rowcount == 1


def bearer_of(connection: Connection, token: str, now: datetime) -> ApiClient | None:
    """Return whose token this is, and note its use; None if it is unknown, expired or revoked.

    The use is written at most once a minute, so that busy clients do not wait for one row.
    """
    if not token.startswith(PREFIX) or len(token) > _LONGEST:
        return None
    row = connection.execute(
        select(
            Token.id, Token.name, Token.scopes, Token.owner, Token.approval_required, Token.last_used_at
        ).where(
            Token.sha256 == _hash(token),
            Token.revoked_at.is_(None),
            Token.expires_at.is_(None) | (Token.expires_at > now),
        )
    ).one_or_none()
    if row is None:
        return None
    if row.last_used_at is None or row.last_used_at < now - _USE_PRECISION:
        connection.execute(update(Token).where(Token.id == row.id).values(last_used_at=now))
    return ApiClient(row.name, frozenset(row.scopes), row.owner, row.approval_required)


def _hash(token: str) -> bytes:
    return sha256(token.encode(errors="surrogateescape")).digest()
