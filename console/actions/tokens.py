"""Tokens in a person's hands."""

import re
from datetime import datetime, timedelta

from console.actions.decisions import who
from console.api import tokens
from console.api.tokens import Scope
from console.errors import CommandError, UsageError
from console.option_values import chosen
from console.output import print_note, print_result, show_json
from console.session import open_session
from console.views.formatting import table, text, when
from worker.clock import system_clock

_MOST_DAYS = 3650
_NAME = re.compile(r"[\w.@-]{1,60}")


def create_token(
    name: str, scopes: list[str], owner: str | None, *, expires: str, approval_required: bool
) -> None:
    """Create a token of an owner, by default the user, and print it.

    Raises UsageComplaint for an unusable name, scope or expiry, Complaint if the name is in use.
    """
    if not scopes:
        raise UsageError(f"add at least one --scope: {', '.join(Scope)}, or all")
    wanted = [Scope(scope) for scope in chosen("scope", scopes, Scope)]
    if not _NAME.fullmatch(name):
        raise UsageError("a token's name is 1 to 60 letters, digits, dots, dashes and underscores")
    expires_at = _expiry(expires)
    with open_session() as session, session.engine.begin() as connection:
        token = tokens.create_token(
            connection,
            name,
            wanted,
            owner=who(owner),
            expires_at=expires_at,
            approval_required=approval_required,
        )
        number = tokens.token_id(connection, name)
    if token is None:
        raise CommandError(f'a token named "{name}" exists or existed: choose another name')
    until = "never expires" if expires_at is None else f"expires on {expires_at:%d %b %Y}"
    print_note(f"Token {name} of {who(owner)} is good for {', '.join(wanted)} and {until}.")
    print_note(f"To limit what it may spend: mailrun budget set token:{number} --per-day AMOUNT")
    print_note("It is shown only once:")
    print_result(token)


def _expiry(given: str) -> datetime | None:
    if given.casefold() == "never":
        return None
    if not given.isascii() or not given.isdecimal() or not 0 < int(given) <= _MOST_DAYS:
        raise UsageError(f'--expires "{given}": must be 1 to {_MOST_DAYS} days, or never')
    return system_clock() + timedelta(days=int(given))


def list_tokens(*, as_json: bool) -> None:
    """Print all tokens, revoked and expired ones too."""
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        found = tokens.list_tokens(connection)
        if as_json:
            show_json(session.vendor, tokens=found)
            return
    rows = table(
        "id", "token", "owner", "scopes", "made", "expires", "last used", "revoked", fold=("scopes",)
    )
    for one in found:
        scopes = [*one.scopes, *(["approval required"] if one.approval_required else [])]
        rows.add_row(
            text(str(one.id)),
            text(one.name),
            text(one.owner or ""),
            text(", ".join(scopes)),
            when(one.created_at),
            when(one.expires_at),
            when(one.last_used_at),
            when(one.revoked_at),
        )
    print_result(rows if found else "No tokens: create one with mailrun token create.")


def revoke_token(name: str) -> None:
    """Revoke a token; raises Complaint if there is none of this name, or not any more."""
    with open_session() as session, session.engine.begin() as connection:
        if not tokens.revoke_token(connection, name, system_clock()):
            raise CommandError(f'there is no token "{name}" that could be revoked')
    print_note(f"Token {name} is revoked.")
