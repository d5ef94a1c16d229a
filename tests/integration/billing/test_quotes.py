"""A quote that does not add up, or is of other options, is paid by nobody."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from lettrlabs import Quote
from models import QuoteLine, Stage, State
from worker.billing.quote_arithmetic import arithmetic_errors
from worker.billing.quote_options import QuoteOptions, find_option_mismatch
from worker.stages.quote_request import digest_of

STANDARD = QuoteOptions("Standard", "Normal")


def quote(**changes: Any) -> Quote:
    """Return two first-class cards at 3.25 and 0.73, with tax, less a credit, made faster for 0.35 each."""
    parts = [
        {"name": "Card", "quantity": 2, "rate": 3.25, "tax": 0.46, "total": 6.50},
        {"name": "FirstClass postage", "quantity": 2, "rate": 0.73, "tax": 0, "total": 1.46},
    ]
    return Quote.model_validate(
        {
            "lineItems": [
                {"name": "Thank you card", "quantity": 2, "tax": 0.46, "total": 7.96, "subItems": parts},
                {
                    "name": "ExpeditedFaster production",
                    "quantity": 2,
                    "rate": 0.35,
                    "tax": 0.05,
                    "total": 0.70,
                },
            ],
            "credits": [{"name": "Volume credit", "total": 0.30}],
            "totalCharges": 8.66,
            "totalTax": 0.51,
            "totalCredits": 0.30,
            "balance": 8.87,
            "postageTypePrices": {"Standard": 0.90, "FirstClass": 1.46},
            "productionSpeedPrices": {"Normal": 0, "ExpeditedFaster": 0.70, "ExpeditedFastest": 1.50},
            **changes,
        }
    )


def test_a_quote_that_adds_up_has_no_differences() -> None:
    assert arithmetic_errors(quote()) == []


def test_credits_may_come_with_a_minus() -> None:
    assert arithmetic_errors(quote(credits=[{"name": "Credit", "total": -0.30}], totalCredits=-0.30)) == []


def test_less_than_a_cent_is_rounding() -> None:
    assert arithmetic_errors(quote(totalTax=0.514)) == []


def test_credits_beyond_the_price_leave_nothing_to_pay() -> None:
    assert arithmetic_errors(quote(credits=[{"total": 50}], totalCredits=50, balance=0)) == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"totalCharges": 8.65}, "the lines add up to 8.66, not to 8.65"),
        ({"totalTax": 0.61}, "the lines' tax add up to 0.51, not to 0.61"),
        ({"totalCredits": 0.20}, "the credits add up to 0.30, not to 0.20"),
        ({"balance": 8.86}, "charges and tax less credits add up to 8.87, not to 8.86"),
        ({"balance": 9.17}, "charges and tax less credits add up to 8.87, not to 9.17"),
    ],
)
def test_a_sum_that_is_a_cent_off_is_told(changes: dict[str, Any], what: str) -> None:
    assert what in [doubt.words for doubt in arithmetic_errors(quote(**changes))]


def test_parts_that_do_not_make_their_line_are_told() -> None:
    line = {"name": "Cards", "total": 8.66, "tax": 0.51, "subItems": [{"name": "Base", "total": 8.00}]}

    assert [doubt.words for doubt in arithmetic_errors(quote(lineItems=[line]))] == [
        'the parts of "Cards" add up to 8.00, not to 8.66'
    ]


@dataclass
class Vendor:
    """Whom the default's quote would be asked of."""

    balance: str = "1"
    asked: int = 0

    def default(self) -> Quote:
        self.asked += 1
        return quote(balance=self.balance)


def unnamed(**changes: Any) -> Quote:
    """Return a quote whose one line names neither postage nor speed."""
    return quote(lineItems=[{"name": "Cards", "total": 8.66, "tax": 0.51}], **changes)


def test_lines_that_name_what_was_asked_are_believed() -> None:
    vendor = Vendor()

    assert (
        find_option_mismatch(QuoteOptions("FirstClass", "ExpeditedFaster"), quote(), vendor.default) is None
    )
    assert vendor.asked == 0


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (QuoteOptions("Standard", "ExpeditedFaster"), "FirstClass postage"),
        (QuoteOptions("FirstClass", "Normal"), "speed ExpeditedFaster"),
        (QuoteOptions("FirstClass", "ExpeditedFastest"), "speed ExpeditedFaster"),
    ],
)
def test_lines_that_name_something_else_contradict(asked: QuoteOptions, named: str) -> None:
    assert named in str(find_option_mismatch(asked, quote(), Vendor().default))


def test_a_card_of_standard_size_is_not_standard_postage() -> None:
    told = quote(lineItems=[{"name": "Standard card, First Class", "total": 8.66, "tax": 0.51}])

    assert find_option_mismatch(QuoteOptions("FirstClass", "Normal"), told, Vendor().default) is None


def test_where_no_line_tells_a_price_that_is_the_defaults_gives_it_away() -> None:
    ignored, heeded = Vendor("8.87"), Vendor("8.31")

    assert "costs the same" in str(
        find_option_mismatch(QuoteOptions("FirstClass", "Normal"), unnamed(), ignored.default)
    )
    assert find_option_mismatch(QuoteOptions("FirstClass", "Normal"), unnamed(), heeded.default) is None


def test_where_the_price_list_knows_no_difference_nothing_tells() -> None:
    told, vendor = unnamed(postageTypePrices={}), Vendor("8.87")

    assert find_option_mismatch(QuoteOptions("FirstClass", "Normal"), told, vendor.default) is None
    assert vendor.asked == 0


def test_the_default_is_what_an_ignored_parameter_would_give() -> None:
    vendor = Vendor("8.87")

    assert find_option_mismatch(STANDARD, unnamed(), vendor.default) is None
    assert vendor.asked == 0


def test_a_postage_that_is_listed_as_cheaper_must_not_cost_the_same_either() -> None:
    told = unnamed(postageTypePrices={"Standard": 1.46, "FirstClass": 0.90})

    assert "costs the same" in str(
        find_option_mismatch(QuoteOptions("FirstClass", "Normal"), told, Vendor("8.87").default)
    )


def test_one_named_option_does_not_vouch_for_the_other() -> None:
    lines = [{"name": "FirstClass postage", "total": 8.66, "tax": 0.51}]
    vendor = Vendor("8.87")

    found = find_option_mismatch(
        QuoteOptions("FirstClass", "ExpeditedFaster"), quote(lineItems=lines), vendor.default
    )

    assert vendor.asked == 1
    assert "costs the same" in str(found)


def test_the_digest_of_a_quote_differs_with_the_number_of_pieces() -> None:
    one, other = (
        quote(lineItems=[{"name": "Cards", "quantity": pieces, "total": 8.66}]) for pieces in (2, 3)
    )

    assert digest_of(one) != digest_of(other)
    assert digest_of(one) == digest_of(one)


def ignoring(real: Any, **forced: str) -> Any:
    return lambda self, order_id, **asked: real(self, order_id, **{**asked, **forced})


@pytest.mark.parametrize("stage", [Stage.SUMMARIZE, Stage.CHECKOUT])
def test_a_vendor_that_quotes_the_default_in_silence_is_caught_before_anything_is_paid(
    hands: Any, sandbox: Any, stage: Stage
) -> None:
    mailing_id = hands.to(stage, postage="FirstClass")
    with pytest.MonkeyPatch.context() as patch:
        real = type(hands.context.vendor).summary
        patch.setattr("lettrlabs.LettrLabs.summary", ignoring(real, postage="Standard"))
        row = hands.to_the_end(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, "quote_of_other_options")
    assert sandbox.calls("checkout") == 0


def test_a_quote_that_does_not_add_up_is_for_a_person(hands: Any, sandbox: Any) -> None:
    mailing_id = hands.to(Stage.SUMMARIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lettrlabs.LettrLabs.summary", lambda *_, **__: quote(balance=8.86))
        row = hands.to_the_end(mailing_id)

    assert (row.state, row.reason_code) == (State.ATTENTION, "quote_does_not_add_up")
    assert "8.87, not to 8.86" in row.reason
    assert sandbox.calls("checkout") == 0


def test_a_quote_is_kept_whole_with_its_parts_and_credits(hands: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT, 250, speed="ExpeditedFaster")

    with hands.context.engine.connect() as connection:
        columns = QuoteLine.__table__.columns
        lines = list(connection.execute(select(*columns).order_by(columns.position)))
    assert [(line.name, line.parent, line.is_credit) for line in lines] == [
        ("Thank you card", None, False),
        ("Card", 0, False),
        ("Standard postage", 0, False),
        ("ExpeditedFaster production", None, False),
        ("Volume discount", None, True),
    ]
    quoted = hands.pen.mailing(mailing_id).quoted
    tops = [line for line in lines if line.parent is None]
    assert (
        sum((-line.total if line.is_credit else line.total + line.tax for line in tops), Decimal(0)) == quoted
    )
