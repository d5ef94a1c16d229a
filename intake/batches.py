"""Writing the people of one mailing, all or none, inside the caller's transaction."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

import psycopg
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import Connection

from intake.digests import installation_key
from intake.people import Mailable, Rejected
from intake.recipient import Recipient
from worker.moves import NewMailing, open_mailing

_PEOPLE: Final = """
    COPY recipient (mailing_id, position, "row",
                    digest, person_digest, address_digest, email_digest, customer_digest,
                    first_name, last_name, organization, salutation,
                    address1, address2, city, state, zip_code, country, email, phone, customer_id, merge)
    FROM STDIN (FORMAT BINARY)
"""
_PEOPLE_TYPES: Final = ("int8", "int4", "int4", *["bytea"] * 5, *["text"] * 13, "bytea")

_as_json: Final = json.JSONEncoder(ensure_ascii=False).encode

_REJECTED: Final = 'COPY rejected_row (campaign_id, "row", code, reason) FROM STDIN (FORMAT BINARY)'
_REJECTED_TYPES: Final = ("int8", "int4", "text", "text")


def write_batch(
    connection: Connection, mailing: NewMailing, people: Sequence[Mailable], now: datetime
) -> int:
    """Open a mailing with these people, in their order, and return its id.

    Raises sqlalchemy.exc.IntegrityError if the mailing's key is taken.
    """
    mailing_id = open_mailing(connection, mailing, now)
    _copy(connection, _PEOPLE, _PEOPLE_TYPES, _recipient_rows(mailing_id, people))
    return mailing_id


def known(connection: Connection, recipients: Iterable[Recipient]) -> list[Mailable]:
    """Return recipients that came from no table as who is mailed, known by this installation's digests."""
    key = installation_key(connection)
    return [Mailable(None, recipient, recipient.known_by(key)) for recipient in recipients]


def write_rejected(connection: Connection, campaign_id: int, rejected: Sequence[Rejected]) -> None:
    """Note rows of a campaign that are not mailed: number, first reason's code, and every reason's sentence."""
    rows = (
        (campaign_id, row.number, reasons[0].code.value, " ".join(reason.sentence for reason in reasons))
        for row, reasons in ((one.row, one.reasons) for one in rejected)
    )
    _copy(connection, _REJECTED, _REJECTED_TYPES, rows)


def _recipient_rows(mailing_id: int, people: Sequence[Mailable]) -> Iterator[tuple[Any, ...]]:
    for position, one in enumerate(people):
        person = one.recipient
        yield (
            mailing_id,
            position,
            one.row,
            *one.digests,
            person.first_name or None,
            person.last_name or None,
            person.organization or None,
            person.salutation or None,
            person.address1,
            person.address2 or None,
            person.city,
            person.state,
            person.zip_code,
            person.country,
            person.email or None,
            person.phone or None,
            person.customer_id,
            _jsonb(person.merge),
        )


def _jsonb(document: Mapping[str, str]) -> bytes:
    """Return what `jsonb_recv` reads: a version and the text. The driver's own way takes a microsecond more."""
    return b"\x01" + _as_json(document).encode() if document else b"\x01{}"


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
