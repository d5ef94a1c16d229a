"""Writing mailings with their people, all or none, inside the caller's transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

import psycopg
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import Connection

from intake.csv.importer import RejectedRow
from intake.recipients.digests import installation_key
from intake.recipients.recipient import Recipient
from intake.recipients.rows import MailableRow, RecipientRow, to_row
from worker.transitions import NewMailing, insert_mailings

_PEOPLE: Final = """
    COPY recipient (mailing_id, position, "row",
                    digest, person_digest, address_digest, email_digest, customer_digest,
                    first_name, last_name, organization, salutation,
                    address1, address2, city, state, zip_code, country, email, phone, customer_id, merge)
    FROM STDIN (FORMAT BINARY)
"""
_PEOPLE_TYPES: Final = ("int8", "int4", "int4", *["bytea"] * 5, *["text"] * 13, "bytea")

_REJECTED: Final = 'COPY rejected_row (campaign_id, "row", code, reason) FROM STDIN (FORMAT BINARY)'
_REJECTED_TYPES: Final = ("int8", "int4", "text", "text")


class Batch(NamedTuple):
    """A mailing and its people, in their order."""

    mailing: NewMailing
    people: Sequence[RecipientRow]

    def __repr__(self) -> str:
        return f"<a mailing to {len(self.people)} people>"


def write_batches(connection: Connection, batches: Sequence[Batch], now: datetime) -> list[int]:
    """Open mailings with their people and return their ids.

    Raises sqlalchemy.exc.IntegrityError if the key of one is taken.
    """
    ids = insert_mailings(connection, [batch.mailing for batch in batches], now)
    rows = (
        (mailing_id, position, *one)
        for mailing_id, batch in zip(ids, batches, strict=True)
        for position, one in enumerate(batch.people)
    )
    _copy(connection, _PEOPLE, _PEOPLE_TYPES, rows)
    return ids


def rows_for(connection: Connection, recipients: Iterable[Recipient]) -> list[MailableRow]:
    """Return recipients that came from no table as who is mailed, known by this installation's digests."""
    key = installation_key(connection)
    return [to_row(None, recipient, key) for recipient in recipients]


def write_rejected(connection: Connection, campaign_id: int, rejected: Sequence[RejectedRow]) -> None:
    """Note rows of a campaign that are not mailed: number, first reason's code, and every reason's sentence."""
    rows = (
        (campaign_id, row.number, reasons[0].code.value, " ".join(reason.sentence for reason in reasons))
        for row, reasons in ((one.row, one.reasons) for one in rejected)
    )
    _copy(connection, _REJECTED, _REJECTED_TYPES, rows)


def _copy(
    connection: Connection, statement: str, types: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    # Binary: an error in the text format would quote the row, with somebody's address, in its message.
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    with driver.cursor() as cursor:
        # For bytea the driver takes its DB-API wrapper's, written in Python, unless told of the one for bytes.
        cursor.adapters.register_dumper(bytes, BytesBinaryDumper)
        with cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
