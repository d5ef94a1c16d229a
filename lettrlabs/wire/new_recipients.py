"""People to be appended to an order, in the vendor's own words (LettrLabs reference, Add Recipients).

A page is a thousand of them, so they are plain dicts: made of our own rows, they are checked when those are written.
"""

from collections.abc import Sequence
from typing import Any, Final, Required, TypedDict

from pydantic_core import to_json


class NewAddress(TypedDict, total=False):
    """Where a piece goes. `state` has 2 letters, `zipCode` 5 or 9 digits; `country` may be left out."""

    address1: Required[str]
    address2: str | None
    city: Required[str]
    state: Required[str]
    zipCode: Required[str]
    zip4: str | None
    zip2: str | None
    country: str | None


class NewPersonal(TypedDict, total=False):
    """To whom a piece is written."""

    firstName: str | None
    lastName: str | None
    toOrganization: str | None
    salutation: str | None


class NewMetadata(TypedDict, total=False):
    """What the template merges in, and the return address; images are public URLs."""

    custom1: str | None
    custom2: str | None
    custom3: str | None
    custom4: str | None
    custom5: str | None
    custom6: str | None
    image1: str | None
    image2: str | None
    image3: str | None
    image4: str | None
    image5: str | None
    image6: str | None
    text: str | None
    text2: str | None
    salutation: str | None
    email: str | None
    qrUrl: str | None
    returnTitle: str | None
    returnFirstName: str | None
    returnLastName: str | None
    returnOrganization: str | None
    returnAddress1: str | None
    returnAddress2: str | None
    returnCity: str | None
    returnState: str | None
    returnZip: str | None


_METADATA: Final = frozenset(NewMetadata.__annotations__)


class NewRecipient:
    """One person to append to an order. No repr shows them."""

    __slots__ = ("_parts",)

    def __init__(
        self,
        *,
        address: NewAddress,
        personal: NewPersonal | None = None,
        metadata: NewMetadata | None = None,
    ) -> None:
        """Keep what is known of them; raises ValueError for metadata that the vendor did not name."""
        if metadata and not metadata.keys() <= _METADATA:
            raise ValueError("metadata that LettrLabs does not know")
        self._parts = {"address": _known(address)}
        if personal and (known := _known(personal)):
            self._parts["personal"] = known
        if metadata and (known := _known(metadata)):
            self._parts["metadata"] = known

    def wire(self) -> dict[str, dict[str, str]]:
        """Return them as the vendor is sent them."""
        return self._parts


def body(recipients: Sequence[NewRecipient]) -> bytes:
    """Return the body of an append."""
    return to_json({"recipients": [one.wire() for one in recipients]})


def _known(part: Any) -> dict[str, str]:  # noqa: ANN401 - any of the three
    return {name: value for name, value in part.items() if value is not None}
