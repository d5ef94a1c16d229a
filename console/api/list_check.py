"""The dry run of a campaign: its list is looked over, and nothing is stored."""

from decimal import Decimal
from typing import BinaryIO, Final

from console.api.request_parsing import ApiContext
from console.api.schemas import Instant, Money, NewCampaign, Schema
from console.queries.prices import price_of_piece
from intake.campaigns.recent_pieces import RecentSenders
from intake.csv.preview import ImportPreview, check_campaign
from intake.csv.saved_mappings import mapping_for
from intake.recent_people import RecentPeople

_CENT: Final = Decimal("0.01")


class RejectedRow(Schema):
    """A row of the list that cannot be mailed, and its first reason."""

    row: int
    why: str


class RecentSender(Schema):
    """A campaign, trigger or single mailing from which people of the list got the template."""

    kind: str
    id: int
    people: int
    at: Instant
    paid: bool


class MailedLately(Schema):
    """How many people of the list got the template lately, and from what."""

    repeated: int
    senders: list[RecentSender]


class CostEstimate(Schema):
    """What the people would cost at the price of a piece that an earlier mailing of the template was quoted."""

    total: Money
    per_piece: Money
    mailing: int
    postage: str
    speed: str


class CampaignCheck(Schema):
    """What a list holds, as a campaign would read it; `first_rejected` are the first 20 rejected rows."""

    dry_run: bool
    name: str
    encoding: str
    sheet: str | None
    export: str | None
    columns: dict[str, str]
    left_out: list[str]
    merge_samples: dict[str, list[str]]
    rows: int
    people: int
    rejected: int
    reasons: dict[str, int]
    first_rejected: list[RejectedRow]
    mailed_lately: MailedLately
    estimate: CostEstimate | None


def check_list(
    here: ApiContext, file: BinaryIO, wanted: NewCampaign, mapping: dict[str, str] | None
) -> CampaignCheck:
    """Look a list over. Raises TableError, ColumnsError."""
    recent = RecentPeople(here.engine, wanted.template, here.clock() - here.settings.repeat_window)
    findings = check_campaign(
        file,
        name=wanted.name or "uploaded list",
        sheet=wanted.sheet,
        mapping=mapping,
        find_mapping=lambda headings: mapping_for(here.engine, headings),
        strictness=wanted.strictness,
        key=recent.key,
        see=recent.count,
    )
    return _told(findings, recent.senders, _estimate(here, wanted.template, findings.tally.people))


def _told(findings: ImportPreview, recent: RecentSenders, estimate: CostEstimate | None) -> CampaignCheck:
    tally, columns = findings.tally, findings.columns
    return CampaignCheck(
        dry_run=True,
        name=findings.name,
        encoding=findings.encoding,
        sheet=findings.sheet,
        export=columns.preset,
        columns=columns.named(),
        left_out=list(columns.left_out),
        merge_samples={name: list(values) for name, _, values in findings.samples.filled()},
        rows=tally.rows,
        people=tally.people,
        rejected=tally.rejected,
        reasons={str(code): number for code, number in tally.reasons.items()},
        first_rejected=[RejectedRow(row=row, why=why) for row, why in tally.first_rejected],
        mailed_lately=MailedLately(
            repeated=recent.repeated,
            senders=[
                RecentSender(kind=one.kind, id=one.id, people=one.people, at=one.at, paid=one.paid)
                for one in recent.senders()
            ],
        ),
        estimate=estimate,
    )


def _estimate(here: ApiContext, template: int, people: int) -> CostEstimate | None:
    with here.engine.connect() as connection:
        price = price_of_piece(connection, template)
    if price is None:
        return None
    return CostEstimate(
        total=(price.cost * people).quantize(_CENT),
        per_piece=price.cost.quantize(Decimal("0.0001")),
        mailing=price.mailing_id,
        postage=price.postage,
        speed=price.speed,
    )
