"""Bearer tokens: who may do what over HTTP. A token is shown once; the database keeps its hash alone."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from models import Token

PREFIX: Final = "mailrun_"
_BYTES: Final = 32
_LONGEST: Final = 200


class Scope(StrEnum):
    """What a token may be good for."""

    EVENTS_READ = "events:read"
    MAILINGS_READ = "mailings:read"
    MAILINGS_WRITE = "mailings:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token's name, its owner, and its scopes."""

    name: str
    scopes: frozenset[str]
    owner: str | None = None

    @property
    def submitter(self) -> str:
        """Return the name that a submission is recorded under: the owner, who may not approve it alone."""
        return self.owner or f"token {self.name}"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token as it may be shown."""

    name: str
    owner: str | None
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None


def create_token(
    connection: Connection, name: str, scopes: Iterable[Scope], *, owner: str | None = None
) -> str | None:
    """Make a token and return it, the only time that it is seen; None if the name is taken, now or formerly."""
    token = PREFIX + secrets.token_urlsafe(_BYTES)
    statement = insert(Token).values(
        name=name, owner=owner, sha256=_hash(token), scopes=[str(scope) for scope in scopes]
    )
    made = connection.scalar(
        statement.on_conflict_do_nothing(index_elements=[Token.name]).returning(Token.id)
    )
    return None if made is None else token


def list_tokens(connection: Connection) -> list[TokenFacts]:
    """Return every token there is or was, by name."""
    columns = (Token.name, Token.owner, Token.scopes, Token.created_at, Token.revoked_at)
    return [TokenFacts(*row) for row in connection.execute(select(*columns).order_by(Token.name))]


def revoke_token(connection: Connection, name: str, now: datetime) -> bool:
    """Take a token's rights away from the next request on; False if there is none of this name, or not any more."""
    statement = update(Token).where(Token.name == name, Token.revoked_at.is_(None)).values(revoked_at=now)
    return connection.execute(statement).rowcount == 1


def bearer_of(connection: Connection, token: str) -> Bearer | None:
    """Return whose token this is, None if it is nobody's or was revoked."""
    if not token.startswith(PREFIX) or len(token) > _LONGEST:
        return None
    row = connection.execute(
        select(Token.name, Token.scopes, Token.owner).where(
            Token.sha256 == _hash(token), Token.revoked_at.is_(None)
        )
    ).one_or_none()
    return None if row is None else Bearer(row.name, frozenset(row.scopes), row.owner)


def _hash(token: str) -> bytes:
    return sha256(token.encode(errors="surrogateescape")).digest()
