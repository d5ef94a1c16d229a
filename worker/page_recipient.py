"""A person of a page, as it was read to be handed over."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias


class PageRecipient(NamedTuple):
    """A recipient right before they are handed over; a tuple, for a page has a thousand.

    ``suppressed`` if they are on a list that their mailing obeys; ``halted`` if the mailing is paused, or to be
    cancelled. Its repr shows nobody.
    """

    mailing_id: int
    position: int
    first_name: str | None
    last_name: str | None
    organization: str | None
    salutation: str | None
    address1: str
    address2: str | None
    city: str
    state: str
    zip_code: str
    country: str | None
    email: str | None
    merge: Mapping[str, str]
    person_digest: bytes | None
    address_digest: bytes | None
    suppressed: bool
    halted: bool

    def __repr__(self) -> str:
        return f"<recipient {self.position} of mailing {self.mailing_id}>"


Page: TypeAlias = Sequence[PageRecipient]
