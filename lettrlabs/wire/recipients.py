"""Recipients as the vendor returns them, in two shapes, and as they are taken off. No repr shows a person."""

from typing import Annotated, Any, TypeAlias

from pydantic import AliasChoices, AliasPath, Field, model_validator

from lettrlabs.wire.base import Count, Id, Listed, Received, Sent, Several

Hidden: TypeAlias = Annotated[str | None, Field(repr=False)]


class DeleteRequest(Sent):
    """The body of a delete of recipients, by the vendor's ids."""

    recipients_ids: tuple[int, ...]


def _in(part: str, name: str) -> Any:  # noqa: ANN401 - pydantic's own
    """Take a text from a part of the nested shape, or from the one level of the flat one."""
    return Field(default=None, repr=False, validation_alias=AliasChoices(AliasPath(part, name), name))


class OrderRecipient(Received):
    """One person on an order, read from either shape: nested (recipients) or flat (orders with recipients).

    Of what the vendor tells, what a person is recognised by: a page has hundreds of them. The address may have been
    normalised by the vendor.
    """

    id: Id
    first_name: str | None = _in("personal", "firstName")
    last_name: str | None = _in("personal", "lastName")
    organization: str | None = _in("personal", "toOrganization")
    address1: str | None = _in("address", "address1")
    address2: str | None = _in("address", "address2")
    city: str | None = _in("address", "city")
    state: str | None = _in("address", "state")
    zip_code: str | None = _in("address", "zipCode")


class Undeliverable(Received):
    """One person the vendor would not take, as it was given, and the vendor's reason."""

    reason: Hidden = Field(default=None, validation_alias=AliasChoices("reason", "reasonCode"))
    first_name: Hidden = None
    last_name: Hidden = None
    organization: Hidden = Field(
        default=None, validation_alias=AliasChoices("toOrganization", "organization")
    )
    address1: Hidden = Field(default=None, validation_alias=AliasChoices("address1", "address"))
    address2: Hidden = None
    city: Hidden = None
    state: Hidden = None
    zip_code: Hidden = None

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, data: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        if not isinstance(data, dict) or not isinstance(data.get("address"), dict):
            return data
        parts = [data.get(part) or {} for part in ("metadata", "address", "personal")]
        flat = {key: value for part in parts for key, value in part.items() if value is not None}
        return flat | {key: value for key, value in data.items() if value is not None and key != "address"}


class _Deliverable(Received):
    address_validated: Count = 0
    address_invalidated: Count = 0


class _Turned(Received):
    duplicated: Count = 0
    do_not_mail: Count = 0
    invalid_address: Count = 0
    undeliverable_recipients: Several[Undeliverable] = ()


class AppendResult(Received):
    """What became of one append; a 200 may take only some.

    `total` is how many were taken; `submitted`, and `accepted`, which repeats it, are None from an older vendor.
    """

    order_id: Id | None = None
    total: Count = Field(validation_alias=AliasChoices("totalRecipients", "acceptedRecipients"))
    submitted: int | None = Field(default=None, validation_alias="submittedRecipients")
    accepted: int | None = Field(default=None, validation_alias="acceptedRecipients")
    deliverable: _Deliverable = _Deliverable()
    turned: _Turned = Field(default=_Turned(), validation_alias="undeliverable")

    @property
    def undeliverable(self) -> tuple[Undeliverable, ...]:
        """Those the vendor would not take, where it names them."""
        return self.turned.undeliverable_recipients

    @property
    def duplicated(self) -> int:
        """How many the vendor held for duplicates."""
        return self.turned.duplicated

    @property
    def do_not_mail(self) -> int:
        """How many are on the vendor's do-not-mail list."""
        return self.turned.do_not_mail

    @property
    def invalid_address(self) -> int:
        """How many addresses the vendor could not find."""
        return self.turned.invalid_address


class RecipientPage(Received):
    """One page of an order's recipients; no total is given."""

    recipients: Listed[OrderRecipient]
