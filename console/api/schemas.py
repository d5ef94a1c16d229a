"""What goes over the wire, as models: the API's document is made of them, and so is every answer."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints

from console.api.request_parsing import LARGEST_ID, MOST_ON_A_PAGE
from intake.campaigns.recent_pieces import Again
from intake.options import Postage, Speed
from intake.recipients.strictness import Strictness
from models import EventOutcome, Stage, State

Number = Annotated[int, Field(ge=1, le=LARGEST_ID, strict=True)]
Instant = Annotated[
    datetime,
    PlainSerializer(lambda at: at.astimezone(UTC).isoformat().replace("+00:00", "Z"), return_type=str),
]
Money = Annotated[Decimal, PlainSerializer(str, return_type=str)]
# What PostgreSQL and a printer both can do without.
_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
Text = Annotated[str, StringConstraints(max_length=2000, pattern=_CONTROLS)]
Word = Annotated[str, StringConstraints(max_length=200, pattern=_CONTROLS)]
# HEADING=FIELD; a heading may hold an equals sign, a field does not.
Pair = Annotated[str, StringConstraints(max_length=400, pattern=r"^[^\x00-\x1f\x7f]+=[a-z0-9_]+$")]
Url = str


def _truth(given: object) -> object:
    return {"true": True, "false": False}.get(given, given) if isinstance(given, str) else given


# In a query, where everything is text. JSON has its own two words for it.
Said = Annotated[bool, BeforeValidator(_truth), Field(strict=True)]


class Schema(BaseModel):
    """A part of the interface. What it does not name is refused, so that a misspelt option is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NewPerson(Schema):
    """Who is mailed. Fields are named as the columns of a list are."""

    first_name: Word = ""
    last_name: Word = ""
    full_name: Word = ""
    organization: Word = ""
    salutation: Word = ""
    address1: Word = Field(min_length=1)
    address2: Word = ""
    city: Word = ""
    state: Word = ""
    zip_code: Word = ""
    zip4: Word = ""
    country: Word = ""
    email: Word = ""
    phone: Word = ""
    customer_id: Word = ""
    merge: dict[str, Text] = Field(default_factory=dict, max_length=40)


class SendOptions(Schema):
    """How mail is sent; the times as the command line takes them."""

    template: Annotated[int, Field(ge=1, lt=2**31, strict=True)]
    postage: Postage = Postage.STANDARD
    speed: Speed = Speed.NORMAL
    approval: Literal["auto", "required"] = "auto"
    auto_bill: Annotated[bool, Field(strict=True)] = True
    strictness: Strictness = Strictness.NORMAL
    suppress: Annotated[list[Word], Field(max_length=20)] = Field(default_factory=list)
    cap: Word | None = None
    one_per_household: Annotated[bool, Field(strict=True)] = False
    send_at: Word | None = None
    hold_until: Word | None = None
    hold_mode: Literal["local", "vendor"] | None = None
    deliver_by: Word | None = None
    if_late: Word | None = None
    zone: Word | None = None


class NewMailing(SendOptions):
    """A mailing to a few people at once."""

    recipients: list[NewPerson] = Field(min_length=1, max_length=1000)


class NewCampaign(Schema):
    """A campaign's options, in the query; the list is the body. `suppress` and `mapping` may be repeated."""

    several: ClassVar[frozenset[str]] = frozenset({"suppress", "mapping"})

    template: Annotated[int, Field(ge=1, lt=2**31)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_CONTROLS)] | None = None
    postage: Postage = Postage.STANDARD
    speed: Speed = Speed.NORMAL
    approval: Literal["auto", "required"] = "auto"
    auto_bill: Said = True
    strictness: Strictness = Strictness.NORMAL
    suppress: Annotated[list[Word], Field(max_length=20)] = Field(default_factory=list)
    cap: Word | None = None
    one_per_household: Said = False
    send_at: Word | None = None
    hold_until: Word | None = None
    hold_mode: Literal["local", "vendor"] | None = None
    deliver_by: Word | None = None
    if_late: Word | None = None
    zone: Word | None = None
    again: Again | None = None
    sheet: Word | None = None
    mapping: Annotated[list[Pair], Field(max_length=100)] = Field(default_factory=list)
    dry_run: Said = False


class Page(Schema):
    """Which page: so many rows, below a number."""

    limit: Annotated[int, Field(ge=1, le=MOST_ON_A_PAGE)] = 50
    before: Annotated[int, Field(ge=1, le=LARGEST_ID)] | None = None


class MailingPage(Page):
    """Which mailings."""

    campaign: Annotated[int, Field(ge=1, le=LARGEST_ID)] | None = None
    state: State | None = None


class EventPage(Page):
    """Which events."""

    outcome: EventOutcome | None = None
    source: Word | None = None
    type: Word | None = None


class MailingTold(Schema):
    """A mailing: what becomes one order."""

    id: int
    url: Url
    campaign: int | None
    stage: Stage
    state: State
    order: int | None
    template: int
    size: int
    accepted: int
    rejected: int
    quoted: Money | None
    quoted_from_credits: Money | None
    charged: Money | None
    charged_from_credits: Money | None
    reason_code: str | None
    reason: str | None
    send_at: Instant | None
    created_at: Instant
    updated_at: Instant


class CampaignTold(Schema):
    """A campaign: one list, cut into mailings."""

    id: int
    url: Url
    name: str
    status: str
    rows: int
    people: int
    rejected: int
    mailings: int
    states: dict[State, int]
    quoted: Money
    quoted_from_credits: Money
    charged: Money
    charged_from_credits: Money
    created_at: Instant


class AnswerTold(Schema):
    """What one trigger made of an event."""

    trigger: str
    version: int
    outcome: EventOutcome
    reason: str | None
    mailing: int | None
    order: int | None
    position: int | None
    recipient: int | None
    due: Instant | None


class ReceiptTold(Schema):
    """An event's receipt: what became of it by now."""

    receipt: int
    url: Url
    source: str
    id: str
    type: str
    received_at: Instant
    outcome: EventOutcome
    reason: str | None
    answers: list[AnswerTold]


class Taken(Schema):
    """An event that is written down, and where its receipt is."""

    receipt: int
    url: Url
    created: bool


class TakenBatch(Schema):
    """The events of a batch, in their order."""

    receipts: list[Taken]


class Mailings(Schema):
    """A page of mailings, newest first; `next` is the following one."""

    items: list[MailingTold]
    next: Url | None


class Campaigns(Schema):
    """A page of campaigns, newest first."""

    items: list[CampaignTold]
    next: Url | None


class Receipts(Schema):
    """A page of receipts, newest first."""

    items: list[ReceiptTold]
    next: Url | None


class Cancelled(Schema):
    """How a cancel went: how many mailings are cancelled, will be, or go on because they are paid."""

    cancelled: int
    requested: int
    too_late: int


class Health(Schema):
    """A sign of life."""

    status: Literal["ok"]


class ProblemTold(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] | None = None
