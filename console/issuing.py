"""Tokens in a person's hands."""

import re

from console.choices import chosen
from console.complaints import Complaint, UsageComplaint
from console.decisions import who
from console.output import remark, show, show_json
from console.session import open_session
from console.views.words import table, text, when
from console.web import tokens
from console.web.tokens import Scope
from worker.clock import system_clock

_NAME = re.compile(r"[\w.@-]{1,60}")


def create_token(name: str, scopes: list[str], owner: str | None) -> None:
    """Make a token of an owner, by default the user, and print it.

    Raises Complaint if the name is taken or unusable, or a scope unknown.
    """
    wanted = [Scope(scope) for scope in chosen("scope", scopes, Scope)]
    if not _NAME.fullmatch(name):
        raise UsageComplaint("a token's name is 1 to 60 letters, digits, dots, dashes and underscores")
    with open_session() as session, session.engine.begin() as connection:
        token = tokens.create_token(connection, name, wanted, owner=who(owner))
    if token is None:
        raise Complaint(f'there is, or was, a token "{name}": choose another name')
    remark(f"Token {name} of {who(owner)} is good for {', '.join(wanted)}. It is shown this once:")
    show(token)


def list_tokens(*, as_json: bool) -> None:
    """Print the tokens there are and were."""
    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        found = tokens.list_tokens(connection)
        if as_json:
            show_json(session.vendor, tokens=found)
            return
    rows = table("token", "owner", "scopes", "made", "revoked", fold=("scopes",))
    for one in found:
        rows.add_row(
            text(one.name),
            text(one.owner or ""),
            text(", ".join(one.scopes)),
            when(one.created_at),
            when(one.revoked_at),
        )
    show(rows if found else "No tokens: make one with mailrun token create.")


def revoke_token(name: str) -> None:
    """Revoke a token; raises Complaint if there is none of this name, or not any more."""
    with open_session() as session, session.engine.begin() as connection:
        if not tokens.revoke_token(connection, name, system_clock()):
            raise Complaint(f'there is no token "{name}" that could be revoked')
    remark(f"Token {name} is revoked.")
