"""Whether a row can be mailed, found out before anything is sent.

This catches what a list can get wrong by itself: what is missing, misspelt or cut off on the way through a
spreadsheet. It does not know whether the house exists; the vendor's own address check says that.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from intake.reasons import Reason, ReasonCode
from intake.recipients.cell_text import (
    BIDIRECTIONAL,
    INVISIBLE,
    SUSPECTS,
    UNPRINTABLE,
    has_letter,
    is_sheet_error,
    looks_misread,
    unwrapped,
)
from intake.recipients.fields import URL_FIELDS, Field
from intake.recipients.names import split_name
from intake.recipients.recipient import Recipient
from intake.recipients.strictness import Strictness, doubts
from intake.recipients.us_states import is_domestic, state_code, territory, zip_belongs_to

# Characters. The vendor states no limits: these are above every address USPS prints and every name on a list.
LONGEST_CELL: Final = 100
_LIMITS: Final[dict[str, int]] = {Field.EMAIL: 255, Field.PHONE: 255, Field.CUSTOMER_ID: 255}
LONGEST_MERGE: Final = 2000

_REPLACED: Final = "\ufffd"
_URL: Final = re.compile(r"https?://[^\s/]+\.[^\s/]+", re.IGNORECASE)
_ZIP: Final = re.compile("(\\d{3,5})(?:[- \u2010-\u2015\u2212]?(\\d{4}))?", re.ASCII)
_ZIP_DIGITS: Final = 5
_ADDITION_DIGITS: Final = 4
_NO_ADDITION: Final = "0000"

_NAMES: Final = ("first_name", "last_name", "organization")
_NOT_PRINTED: Final = frozenset({Field.EMAIL, Field.PHONE, Field.CUSTOMER_ID})
_MARKS: Final = ("|'", "|\u2018", "|\u2019", '|="', "|#")

_REQUIRED: Final = (
    (Field.ADDRESS1, ReasonCode.NO_ADDRESS, "a street line"),
    (Field.CITY, ReasonCode.NO_CITY, "a city"),
    (Field.STATE, ReasonCode.NO_STATE, "a state"),
    (Field.ZIP_CODE, ReasonCode.NO_ZIP, "a ZIP code"),
)
_ZIP_SENTENCES: Final = {
    ReasonCode.MALFORMED_ZIP: "The column {zip} is not a ZIP code of 5 or 9 digits.",
    ReasonCode.SHORT_ZIP: "The column {zip} has too few digits, and with the leading zero put back it is not in "
    "the state in the column {state}.",
    ReasonCode.ZIP_IN_OTHER_STATE: "The ZIP code in the column {zip} is not in the state in the column {state}.",
}


class RecipientDraft(NamedTuple):
    """What a list says about one recipient, cell by cell, as it stands there."""

    first_name: str = ""
    last_name: str = ""
    full_name: str = ""
    organization: str = ""
    salutation: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    state: str = ""
    zip_code: str = ""
    zip4: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""
    customer_id: str = ""


class AddressValidator:
    """Lets a recipient through, or says everything that keeps them out.

    `headings` names the column of each field, for the sentences; a field without one goes by its own name.
    """

    def __init__(
        self, headings: Mapping[str, str] | None = None, strictness: Strictness = Strictness.NORMAL
    ) -> None:
        """Name columns by the given headings."""
        self._headings = headings or {}
        self._strictness = strictness

    def admit(self, entry: RecipientDraft, merge: Mapping[str, str]) -> Recipient | tuple[Reason, ...]:
        """Return the recipient, tidied, or the reasons why there is none."""
        cells, unreadable = entry, list[Reason]()
        text = f"|{'|'.join(entry)}|{'|'.join(merge.values())}"
        if not text.isprintable() or _is_doubtful(text):
            unreadable = list(self._unreadable(entry, merge))
            cells = RecipientDraft(*[tidied(cell) for cell in entry])
        elif "  " in text or "| " in text or " |" in text:
            # What is printable has no other blanks than spaces.
            cells = RecipientDraft(*[" ".join(cell.split()) for cell in entry])
        cells = with_letters_in_names(split_full_name(cells))
        state = state_code(cells.state or territory(cells.country) or "")
        zip_code, zip_fault = normalize_zip(cells.zip_code, cells.zip4, state)
        if self._strictness is Strictness.RELAXED and zip_fault is ReasonCode.ZIP_IN_OTHER_STATE:
            zip_code, zip_fault = normalize_zip(cells.zip_code, cells.zip4, None)
        reasons = unreadable
        if not (cells.address1 and cells.city and state and cells.zip_code and _is_named(cells)):
            reasons += self._missing(cells)
        if state is None or zip_fault or not is_domestic(cells.country):
            reasons += self._misplaced(cells, state, zip_fault)
        if max(map(len, cells)) > LONGEST_CELL:
            reasons += self._too_long(cells)
        if merge:
            reasons += self._unfit_merge(merge)
        if self._strictness is not Strictness.NORMAL:
            reasons = self._weighed(reasons, cells, state)
        return tuple(reasons) or _recipient(cells, state or "", zip_code, merge)

    def _weighed(self, reasons: list[Reason], cells: RecipientDraft, state: str | None) -> list[Reason]:
        if self._strictness is Strictness.RELAXED:
            return [reason for reason in reasons if reason.code is not ReasonCode.NO_NAME]
        found = doubts(cells.address1, cells.city, state, cells.zip4)
        return reasons + [
            Reason(one.code, f"The column {self._column(one.field)} {one.words}") for one in found
        ]

    def _column(self, field: str) -> str:
        return f'"{self._headings.get(field, field)}"'

    def _unreadable(self, entry: RecipientDraft, merge: Mapping[str, str]) -> Iterator[Reason]:
        for field, cell in {**entry._asdict(), **merge}.items():
            trouble = _damage(field, cell)
            if trouble:
                yield Reason(ReasonCode.UNREADABLE, f"The column {self._column(field)} {trouble}")

    def _missing(self, cells: RecipientDraft) -> Iterator[Reason]:
        if not _is_named(cells):
            yield Reason(ReasonCode.NO_NAME, "Neither a name nor an organization is given.")
        for field, code, what in _REQUIRED:
            if getattr(cells, field) or (field == Field.STATE and territory(cells.country)):
                continue
            if cells.address1 and field in self._headings and self._is_one_cell(field):
                yield Reason(
                    code, f"In the column {self._column(field)} {what} cannot be told from the rest."
                )
            else:
                yield Reason(code, f"The column {self._column(field)} is empty; {what} is needed.")

    def _is_one_cell(self, field: str) -> bool:
        """Tell whether a part of the address comes out of the column that holds all of it."""
        return self._headings[field] == self._headings.get(Field.ADDRESS1)

    def _misplaced(
        self, cells: RecipientDraft, state: str | None, zip_fault: ReasonCode | None
    ) -> Iterator[Reason]:
        if cells.state and state is None:
            yield Reason(
                ReasonCode.UNKNOWN_STATE,
                f"The column {self._column('state')} names no state, territory or military region of the "
                "United States.",
            )
        if zip_fault:
            sentence = _ZIP_SENTENCES[zip_fault]
            yield Reason(
                zip_fault, sentence.format(zip=self._column("zip_code"), state=self._column("state"))
            )
        if not is_domestic(cells.country):
            yield Reason(
                ReasonCode.FOREIGN_COUNTRY,
                f"The column {self._column('country')} names another country; only addresses in the United "
                "States are mailed.",
            )

    def _too_long(self, cells: RecipientDraft) -> Iterator[Reason]:
        for field, cell in zip(RecipientDraft._fields, cells, strict=True):
            if len(cell) > (limit := _LIMITS.get(field, LONGEST_CELL)):
                yield self._longer(field, limit)

    def _unfit_merge(self, merge: Mapping[str, str]) -> Iterator[Reason]:
        for field, cell in merge.items():
            if len(cell) > LONGEST_MERGE:
                yield self._longer(field, LONGEST_MERGE)
            if field in URL_FIELDS and not is_web_address(cell):
                yield Reason(
                    ReasonCode.NOT_A_URL,
                    f"The column {self._column(field)} is not a web address beginning with http:// or https://.",
                )

    def _longer(self, field: str, limit: int) -> Reason:
        return Reason(
            ReasonCode.TOO_LONG, f"The column {self._column(field)} is longer than {limit:,} characters."
        )


def _is_doubtful(text: str) -> bool:
    """Tell whether a printable text holds what must be looked at cell by cell."""
    if _REPLACED in text or not SUSPECTS.isdisjoint(text):
        return True
    return any(mark in text for mark in _MARKS)


def _damage(field: str, cell: str) -> str | None:
    """Return what is wrong with a cell's text, as the end of a sentence."""
    if UNPRINTABLE.search(cell):
        return "holds characters that cannot be printed; was the list saved in another encoding?"
    if BIDIRECTIONAL.search(cell) and field not in _NOT_PRINTED:
        return "holds characters that change the direction of writing: type it anew."
    if is_sheet_error(cell.strip()):
        return "holds the error of a formula: correct it in the spreadsheet."
    if looks_misread(cell):
        return "was saved in a wrong encoding, which shows in its accented letters: save the list as CSV UTF-8 anew."
    return None


def tidied(cell: str) -> str:
    """Return a cell with single spaces, without invisible characters and what a spreadsheet put around it."""
    return unwrapped(" ".join(BIDIRECTIONAL.sub("", INVISIBLE.sub("", cell)).split()))


def with_letters_in_names(cells: RecipientDraft) -> RecipientDraft:
    """Return an entry without names that hold no letter, such as an order's number."""
    names = {
        field: ""
        for field in _NAMES
        if (name := getattr(cells, field)) and not name[0].isalpha() and not has_letter(name)
    }
    return cells._replace(**names) if names else cells


def _is_named(cells: RecipientDraft) -> bool:
    return bool(cells.first_name or cells.last_name or cells.organization)


def is_web_address(cell: str) -> bool:
    """Tell whether a cell begins as a web address does."""
    return _URL.match(cell) is not None


@lru_cache(maxsize=32_768)
def normalize_zip(text: str, zip4: str, state: str | None) -> tuple[str, ReasonCode | None]:
    """Return a ZIP code of 5 or 9 digits, and what is wrong with it.

    A leading zero that a spreadsheet took off is put back only if the ZIP code is then one of the state's.
    """
    match = _ZIP.fullmatch(
        unwrapped(text).removesuffix(".0").rstrip("- \u2010\u2011\u2012\u2013\u2014\u2015\u2212")
    )
    if match is None:
        return "", ReasonCode.MALFORMED_ZIP if text else None
    zip4 = unwrapped(zip4).removesuffix(".0")
    is_number = zip4.isascii() and zip4.isdecimal()
    area, addition = match[1], match[2] or (zip4.zfill(_ADDITION_DIGITS) if is_number else "")
    zip_code = area.zfill(_ZIP_DIGITS)
    if state and not zip_belongs_to(state, zip_code):
        return "", ReasonCode.SHORT_ZIP if len(area) < _ZIP_DIGITS else ReasonCode.ZIP_IN_OTHER_STATE
    known = len(addition) == _ADDITION_DIGITS and addition != _NO_ADDITION
    return zip_code + addition if known else zip_code, None


def split_full_name(cells: RecipientDraft) -> RecipientDraft:
    """Return an entry whose full name, if no other is given, is split by the rule of `intake.recipients.names`."""
    if cells.first_name or cells.last_name or not cells.full_name:
        return cells
    name = split_name(cells.full_name)
    return cells._replace(
        first_name=name.first,
        last_name=name.last,
        organization=cells.organization or name.organization,
        salutation=cells.salutation or name.salutation,
    )


def _recipient(cells: RecipientDraft, state: str, zip_code: str, merge: Mapping[str, str]) -> Recipient:
    return Recipient(
        address1=cells.address1,
        city=cells.city,
        state=state,
        zip_code=zip_code,
        first_name=cells.first_name,
        last_name=cells.last_name,
        organization=cells.organization,
        salutation=cells.salutation,
        address2=cells.address2,
        email=cells.email,
        phone=cells.phone,
        customer_id=cells.customer_id or None,
        merge=merge,
    )
