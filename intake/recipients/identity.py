"""Who is meant: what a row or a command line says about somebody, as the marks they are known by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from intake.reasons import Reason, ReasonCode
from intake.recipients import digests
from intake.recipients.normalize import folded_words
from intake.recipients.us_states import state_code
from intake.recipients.validator import RecipientDraft, normalize_zip, split_full_name, tidied
from models import IdentityKind

_NOBODY: Final = Reason(
    ReasonCode.NOBODY,
    "It says nobody: an address with its ZIP code, an email address or a customer id is needed.",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody's marks, and what could not be understood."""

    marks: Mapping[IdentityKind, bytes]
    reasons: tuple[Reason, ...] = ()


def identify(entry: RecipientDraft, key: bytes, *, households: bool = False) -> Identity:
    """Return every mark that an entry gives, as digests under the key.

    A name with an address is a person; an address without a name, or with `households`, is the address itself,
    whoever lives there. City and state are not needed, and a state that does not fit its ZIP code is no matter.
    """
    cells = split_full_name(RecipientDraft(*map(tidied, entry)))
    place, reasons = _place(cells)
    marks = _at(cells, place, key, households=households) if place else {}
    for mark, digest in (
        (IdentityKind.EMAIL, digests.of_email(cells.email, key)),
        (IdentityKind.CUSTOMER, digests.of_customer(cells.customer_id, key)),
    ):
        if digest:
            marks[mark] = digest
    return Identity(marks, reasons if marks or reasons else (_NOBODY,))


def _place(cells: RecipientDraft) -> tuple[str, tuple[Reason, ...]]:
    if not cells.address1:
        return "", ()
    zip_code, _ = normalize_zip(cells.zip_code, cells.zip4, state_code(cells.state))
    if not zip_code:
        zip_code, _ = normalize_zip(cells.zip_code, cells.zip4, None)
    if not zip_code:
        return "", (Reason(ReasonCode.MALFORMED_ZIP, "The address has no ZIP code of 5 or 9 digits."),)
    return digests.folded_places([cells.address1], [cells.address2], [zip_code])[0], ()


def _at(cells: RecipientDraft, place: str, key: bytes, *, households: bool) -> dict[IdentityKind, bytes]:
    organization = folded_words(cells.organization) if cells.organization else ""
    name = digests.folded_names([cells.first_name], [cells.last_name])[0]
    person = None if households else digests.person(name, organization, place, key)
    mark, digest = (
        (IdentityKind.PERSON, person) if person else (IdentityKind.ADDRESS, digests.address(place, key))
    )
    return {mark: digest} if digest else {}
