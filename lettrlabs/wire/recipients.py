"""Recipients as the vendor returns them, in two shapes, and as they are taken off. No repr shows a person."""

from typing import Annotated, Any, TypeAlias

from pydantic import AliasChoices, Field, model_validator

from lettrlabs.wire.base import Count, Id, Received, Sent, Several, When

Hidden: TypeAlias = Annotated[str | None, Field(repr=False)]


class DeleteRequest(Sent):
    """The body of a delete of recipients, by the vendor's ids."""

    recipients_ids: tuple[int, ...]


class Delivery(Received):
    """How far one piece has come; `status` is a DeliveryStatus where the word is known."""

    status: str | None = None
    updated_at: When = Field(default=None, validation_alias="updatedDate")


class OrderRecipient(Received):
    """One person on an order, read from either shape: nested (recipients) or flat (orders with recipients).

    The address may have been normalised by the vendor.
    """

    id: Id
    first_name: Hidden = None
    last_name: Hidden = None
    organization: Hidden = Field(
        default=None, validation_alias=AliasChoices("toOrganization", "organization")
    )
    salutation: Hidden = None
    address1: Hidden = None
    address2: Hidden = None
    city: Hidden = None
    state: Hidden = None
    zip_code: Hidden = None
    country: Hidden = None
    custom1: Hidden = None
    custom2: Hidden = None
    custom3: Hidden = None
    custom4: Hidden = None
    custom5: Hidden = None
    custom6: Hidden = None
    delivery: Delivery | None = None

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, data: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        return _flat(data)


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
    def _flatten(cls, data: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        return _flat(data)


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

    recipients: Several[OrderRecipient] = ()


def _flat(data: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(data, dict) or not isinstance(data.get("address"), dict):
        return data
    outer = {**data}
    flat: dict[str, Any] = {}
    # The outer members come last: the outer id is the recipient's, a nested one would be its address's.
    for part in (data.get("metadata"), outer.pop("address"), data.get("personal"), outer):
        flat.update({name: value for name, value in (part or {}).items() if value is not None})
    return flat
