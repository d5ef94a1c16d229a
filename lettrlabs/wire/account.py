"""Whose key it is, and the templates it may use. The vendor does not describe these answers' members."""

from typing import Any

from pydantic import AliasChoices, Field, TypeAdapter

from lettrlabs.wire.base import Id, Received, in_camel_case


class Account(Received):
    """The account behind the key, as far as the vendor names it."""

    id: Id | None = Field(default=None, validation_alias=AliasChoices("id", "userId", "accountId"))
    email: str | None = Field(default=None, repr=False)
    organization: str | None = Field(
        default=None, repr=False, validation_alias=AliasChoices("organization", "organizationName", "company")
    )


class Template(Received):
    """A design that orders may be made of."""

    id: Id = Field(validation_alias=AliasChoices("id", "templateId"))
    name: str | None = Field(default=None, validation_alias=AliasChoices("name", "templateName"))
    product_type: str | None = Field(default=None, validation_alias=AliasChoices("productType", "product"))


_TEMPLATES = TypeAdapter(tuple[Template, ...])


def templates(payload: Any) -> tuple[Template, ...]:  # noqa: ANN401 - whatever JSON holds
    """Read a list of templates, bare or as a member.

    Raises ValueError for anything else.
    """
    told = in_camel_case(payload)
    return _TEMPLATES.validate_python(told.get("templates") if isinstance(told, dict) else told)
