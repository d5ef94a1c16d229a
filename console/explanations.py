"""One plain line for every error that reaches the top of a command. Imported only once there is one."""

import traceback
from typing import Final

import psycopg
from psycopg.errors import (
    CharacterNotInRepertoire,
    DiskFull,
    InsufficientPrivilege,
    InvalidSchemaName,
    LockNotAvailable,
    ReadOnlySqlTransaction,
    UndefinedColumn,
    UndefinedTable,
    UntranslatableCharacter,
)
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from console.local.errors import ServerError
from console.local.up import UpError
from intake.errors import ErrorCode, IntakeError
from lettrlabs import Refused, Unavailable
from migrations import UnfitDatabaseError
from worker.settings import SettingsError

UNAUTHORIZED: Final = 401
NO_PLAN: Final = 403
_WRONG_OPTIONS: Final = frozenset({ErrorCode.BAD_OPTION, ErrorCode.UNKNOWN_FIELD, ErrorCode.UNKNOWN_LIST})


def is_usage(error: Exception) -> bool:
    """Whether the command line itself is wrong, rather than what it names."""
    return isinstance(error, IntakeError) and error.fault in _WRONG_OPTIONS


_ENCODING: Final = "the database cannot store a character of this text: `mailrun doctor` names its encoding"
_REFUSALS: Final[dict[type[psycopg.Error], str]] = {
    InsufficientPrivilege: "the role in DATABASE_URL lacks a right to the tables: run `mailrun migrate` with "
    "MIGRATION_DATABASE_URL set to their owner; `mailrun doctor` names the tables",
    InvalidSchemaName: "the database has no schema to make tables in: create one, or set search_path for the role",
    LockNotAvailable: "another session holds a table that is needed: nothing was changed; run the command again",
    DiskFull: "PostgreSQL's disk is full: make room there, then run the command again",
    ReadOnlySqlTransaction: "the database is read-only: name the primary server in DATABASE_URL",
    UntranslatableCharacter: _ENCODING,
    CharacterNotInRepertoire: _ENCODING,
}


def explain(error: Exception) -> str:
    """Return what is wrong and what to do. What an unexpected error says is left out: it could quote a person."""
    match error:
        case SettingsError() | UnfitDatabaseError() | ServerError() | UpError() | IntakeError():
            return str(error)
        case Unavailable():
            return f"LettrLabs cannot be reached: {error.why}; try again later"
        case Refused():
            return refusal(error)
        case DBAPIError() | PoolTimeout() | psycopg.Error():
            return _database_trouble(error)
        case OSError():
            return f"{error.filename or 'the system'}: {error.strerror or type(error).__name__}"
        case _:
            return _fault_of_our_own(error)


def refusal(refused: Refused) -> str:
    """Return what follows from the vendor's refusal of a read."""
    if refused.status == UNAUTHORIZED:
        return (
            "LettrLabs does not know this key (401): check LETTRLABS_API_KEY against the one in your account"
        )
    if refused.status == NO_PLAN:
        return (
            "this account's plan does not include the API (403): ask LettrLabs to enable it for the account"
        )
    return str(refused)


def _database_trouble(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, ProgrammingError) and isinstance(cause, UndefinedTable | UndefinedColumn):
        return "the database does not have the tables of this version: run `mailrun migrate`"
    for kind, sentence in _REFUSALS.items():
        if isinstance(cause, kind):
            return sentence
    if isinstance(error, OperationalError | PoolTimeout) or isinstance(cause, psycopg.OperationalError):
        return (
            f"the database is away: {_first_line(cause)}; check DATABASE_URL and that PostgreSQL runs there"
        )
    return _fault_of_our_own(error)


def _first_line(cause: BaseException | None) -> str:
    lines = [line.strip() for line in str(cause or "").splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else "no reason given"


def _fault_of_our_own(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.name}, line {place.lineno}"
    return f"an error of Mailrun's own: {type(error).__name__} in {where}; please report it with this line"
