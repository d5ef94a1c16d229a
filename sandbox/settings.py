"""What an operator may change about the vendor while it runs."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from sandbox.domain.addresses import said

STRICT = ConfigDict(
    frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False
)


class RowOrder(StrEnum):
    """In which order GET /order lists; the vendor does not state one."""

    SHUFFLED = "shuffled"  # by a hash of the id: stable, but new orders appear in the middle
    OLDEST = "oldest"
    NEWEST = "newest"


class Ids(StrEnum):
    """Which numbers new orders or recipients get."""

    RISING = "rising"
    ARBITRARY = "arbitrary"  # unique, but neither rising nor near each other


class CreditSign(StrEnum):
    """The sign with which credits are written."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class CreditNames(StrEnum):
    """Whether the name and type of a credit tell a discount from money of the account."""

    CLEAR = "clear"
    VAGUE = "vague"  # each credit is called "Credit"


class NullAmounts(StrEnum):
    """What a summary leaves null."""

    NONE = "none"
    AMOUNTS = "amounts"  # each rate, tax, total and the balance
    LINES = "lines"  # lineItems and credits
    ALL = "all"


class TransactionIds(StrEnum):
    """Within what the id of a transaction is unique."""

    UNIQUE = "unique"  # the account
    PER_ORDER = "perOrder"
    SAME = "same"  # nothing: each transaction has the same id


class TemplateEndpoints(StrEnum):
    """What the calls under /v1/templates answer."""

    OK = "ok"
    FORBIDDEN = "forbidden"
    MISSING = "missing"


class MemberCase(StrEnum):
    """How the members of an answer are written."""

    CAMEL = "camel"
    PASCAL = "pascal"


class ListMembers(StrEnum):
    """Whether an answer that is a list holds the member with the list."""

    PRESENT = "present"
    MISSING = "missing"


class QueryNames(StrEnum):
    """Which names of query parameters are understood; the others are ignored."""

    NEW = "new"
    OLD = "old"  # those of the reference 1.0.0: OrderIds, Skip, Take, PostageType and others


class ProofEncoding(StrEnum):
    """How a proof is written."""

    STANDARD = "standard"
    UNPADDED = "unpadded"
    URL_SAFE = "urlSafe"
    LEADING_NEWLINE = "leadingNewline"  # in the PDF, before its first line


class DoNotMail(BaseModel):
    """A person who must get no mail: each person in whom all the given fields match, whatever the case."""

    model_config = STRICT

    first_name: str = ""
    last_name: str = ""
    address1: str = ""
    zip_code: str = ""

    def matches(self, personal: Mapping[str, object], address: Mapping[str, object]) -> bool:
        """Return whether this entry is about that person."""
        return (
            (self.last_name or self.first_name or self.address1 or self.zip_code) != ""
            and (not self.last_name or _same(self.last_name, said(personal, "lastName")))
            and (not self.first_name or _same(self.first_name, said(personal, "firstName")))
            and (not self.address1 or _same(self.address1, said(address, "address1")))
            and (not self.zip_code or self.zip_code == said(address, "zipCode")[:5])
        )


def _same(want: str, have: str) -> bool:
    return want.casefold() == have.casefold()


# A last name nobody has, so that any file can hold a person who must get no mail.
DO_NOT_MAIL_MARKER = DoNotMail(last_name="Donotmail")


class Settings(BaseModel):
    """How the vendor behaves, where its documents leave that open.

    Seconds are sandbox seconds. `settle_seconds` lie between a checkout and its settlement. A read shows the
    state as it was `..._lag_seconds` ago; a write sees the true state at once. `prepaid_balance` is the money
    the account has now: a checkout draws it down. `seed` is drawn from by fault rules that bring none of
    their own.
    """

    model_config = STRICT

    settle_seconds: float = Field(default=2.0, ge=0)
    seed: int = 0
    recipients_lag_seconds: float = Field(default=0.0, ge=0)
    orders_lag_seconds: float = Field(default=0.0, ge=0)
    status_lag_seconds: float = Field(default=0.0, ge=0)
    transactions_lag_seconds: float = Field(default=0.0, ge=0)
    reports_lag_seconds: float = Field(default=0.0, ge=0)
    replace_on_put: bool = False
    deduplicate_across_order: bool = False
    append_alias: bool = True
    order_of_rows: RowOrder = RowOrder.SHUFFLED
    order_ids: Ids = Ids.RISING
    recipient_ids: Ids = Ids.RISING
    prepaid_balance: Decimal | None = Field(default=None, ge=0)
    credit_sign: CreditSign = CreditSign.POSITIVE
    credit_names: CreditNames = CreditNames.CLEAR
    tax_inside_lines: bool = False
    sub_items_add_up: bool = True
    null_amounts: NullAmounts = NullAmounts.NONE
    extra_decimals: bool = False
    transaction_ids: TransactionIds = TransactionIds.UNIQUE
    warnings: bool = False
    member_case: MemberCase = MemberCase.CAMEL
    list_members: ListMembers = ListMembers.PRESENT
    query_names: QueryNames = QueryNames.NEW
    template_endpoints: TemplateEndpoints = TemplateEndpoints.OK
    proof_encoding: ProofEncoding = ProofEncoding.STANDARD
    do_not_mail: tuple[DoNotMail, ...] = ()
