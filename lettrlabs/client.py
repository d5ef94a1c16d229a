"""The vendor's endpoints, one method each."""

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

from pydantic import SecretStr

from lettrlabs.calls import Calls, Operation
from lettrlabs.outcomes import (
    Accepted,
    CallObserver,
    CallRecord,
    Outcome,
    Refused,
    Rejected,
    Scalar,
    Unavailable,
    WriteOutcome,
)
from lettrlabs.pagination import RepeatedPageError, Row, Span, iterate_pages
from lettrlabs.rate_limit import RateLimit
from lettrlabs.request_parts import encode_body, id_list, json_object
from lettrlabs.timeouts import Timeouts
from lettrlabs.transport import Transport
from lettrlabs.wire import new_recipients
from lettrlabs.wire.account import Account, Template, templates
from lettrlabs.wire.base import Received, read_as
from lettrlabs.wire.new_recipients import NewRecipient
from lettrlabs.wire.orders import Created, CreateRequest, Order, OrderPage
from lettrlabs.wire.proofs import pdf
from lettrlabs.wire.quotes import Checkout, CheckoutRequest, Quote
from lettrlabs.wire.recipients import AppendResult, DeleteRequest, OrderRecipient, RecipientPage
from lettrlabs.wire.reports import (
    AnalyticsReport,
    DeliveryReport,
    OrderAnalytics,
    OrderTransactions,
    PieceDelivery,
    TransactionReport,
)

T = TypeVar("T")
Shape = TypeVar("Shape", bound=Received)

MAX_RECIPIENTS = 1000
"""Recipients in one append (LettrLabs' older reference)."""

APPEND_ALIAS = ":append"
"""How the path of the call ends that can only append."""

_NOT_FOUND = 404
# A server without the call, one that knows the path for other methods, and one that has withdrawn it.
_NO_SUCH_CALL = (_NOT_FOUND, 405, 410)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Append:
    """What is known of the append alias, shared by all copies of a client."""

    alias_is_gone: bool = False


class LettrLabs:
    """One account at LettrLabs.

    Writes return an Answer and are sent at most once. Reads return their value, after up to three tries, or raise
    Unavailable or Refused. Thread-safe; build it once in each process, after any fork, and close it at the end.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        *,
        timeouts: Timeouts | None = None,
        rate: RateLimit | None = None,
        connections: int = 32,
    ) -> None:
        """Connect to nothing yet; `connections` should be the number of threads that call at once.

        Raises ValueError for a base URL that is not http(s) or a key that no header can carry.
        """
        timeouts = timeouts or Timeouts()
        transport = Transport(base_url, key, timeouts, connections)
        self._append = _Append()
        self._calls = Calls(transport, rate or RateLimit(None), timeouts, key)

    def observed(self, sink: CallObserver) -> Self:
        """Give a cheap copy, sharing connections and rate limit, that hands every call's evidence to `sink`.

        What `sink` raises comes out of the call, whatever the vendor has done by then: it had better raise nothing.
        """
        twin = copy.copy(self)
        twin._calls = replace(self._calls, sink=sink)  # noqa: SLF001 - its own copy
        return twin

    def close(self) -> None:
        """Close the connections, those of observed copies with them."""
        self._calls.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def create_order(self, template_id: int) -> WriteOutcome[int]:
        """Make an empty draft and give its order id; each call makes another (LettrLabs, Order of operations)."""
        operation = Operation(
            "create_order",
            "POST",
            "/v1/order",
            lambda payload: read_as(Created, payload).order_id,
            body=encode_body(CreateRequest(template_id=template_id)),
            summary={"template_id": template_id},
        )
        return self._calls.write(operation, order_of=lambda order_id: order_id)

    def delete_order(self, order_id: int) -> WriteOutcome[None]:
        """Delete a draft."""
        operation = Operation("delete_order", "DELETE", f"/v1/order/{order_id}", _nothing, order_id=order_id)
        return self._calls.write(operation)

    def append_recipients(
        self, order_id: int, recipients: Sequence[NewRecipient]
    ) -> WriteOutcome[AppendResult]:
        """Add people to a draft, beside those already there; sent again, they are added again.

        An acceptance may be of some only: read the result. LettrLabs' own pages disagree whether a plain PUT of
        recipients appends or replaces. Its alias can only append, and is used as long as there is one; the `path` of
        the answer's call tells which. Raises ValueError for none or more than MAX_RECIPIENTS.
        """
        if not 0 < len(recipients) <= MAX_RECIPIENTS:
            raise ValueError(f"an append takes 1 to {MAX_RECIPIENTS} recipients, not {len(recipients)}")
        path = f"/v1/order/{order_id}/recipients"
        if not self._append.alias_is_gone:
            answer = self._put_recipients(order_id, path + APPEND_ALIAS, recipients)
            if not (isinstance(answer, Rejected) and answer.status in _NO_SUCH_CALL):
                return answer
        # The alias is gone, or the order is: an order that is gone refuses the canonical call too.
        answer = self._put_recipients(order_id, path, recipients)
        if isinstance(answer, Accepted) and not self._append.alias_is_gone:
            self._append.alias_is_gone = True
            log.warning(
                "append_alias_gone: recipients are added by PUT %s from now on", "/v1/order/{id}/recipients"
            )
        return answer

    def _put_recipients(
        self, order_id: int, path: str, recipients: Sequence[NewRecipient]
    ) -> WriteOutcome[AppendResult]:
        operation = Operation(
            "append_recipients",
            "PUT",
            path,
            partial(read_as, AppendResult),
            body=new_recipients.body(recipients),
            summary={"recipients": len(recipients)},
            order_id=order_id,
            applied=lambda result: result.total > 0,
        )
        return self._calls.write(operation)

    def delete_recipients(self, order_id: int, recipient_ids: Sequence[int]) -> WriteOutcome[None]:
        """Take people off a draft, by the vendor's ids."""
        operation = Operation(
            "delete_recipients",
            "DELETE",
            f"/v1/order/{order_id}/recipients",
            _nothing,
            body=encode_body(DeleteRequest(recipients_ids=tuple(recipient_ids))),
            summary={"recipients": len(recipient_ids)},
            order_id=order_id,
        )
        return self._calls.write(operation)

    def checkout(
        self,
        order_id: int,
        *,
        postage_type: str,
        production_speed: str,
        hold_until: date | None,
        auto_bill: bool,
    ) -> WriteOutcome[Checkout]:
        """Submit a draft for production. This charges, and cannot be taken back by any call."""
        operation = Operation(
            "checkout",
            "POST",
            f"/v1/order/{order_id}/checkout",
            partial(read_as, Checkout),
            body=encode_body(
                CheckoutRequest(
                    postage_type=postage_type,
                    production_speed=production_speed,
                    hold_until_date=hold_until,
                    auto_bill=auto_bill,
                ),
                whole=True,
            ),
            summary={
                "postage_type": postage_type,
                "production_speed": production_speed,
                "hold_until": hold_until.isoformat() if hold_until else None,
                "auto_bill": auto_bill,
            },
            order_id=order_id,
        )
        return self._calls.write(operation)

    def list_orders(
        self,
        *,
        status: str | None = None,
        paid: bool | None = None,
        page: int = 0,
        page_size: int = 100,
    ) -> tuple[Order, ...]:
        """Return one page of orders, in no promised sequence. None in a filter means all; pages count from 0."""
        return self._orders(Span(page, page_size), status, paid=paid)

    def iter_orders(
        self,
        *,
        status: str | None = None,
        paid: bool | None = None,
        page_size: int = 100,
    ) -> Iterator[Order]:
        """Yield every order once, page by page. An order that moves between pages meanwhile may be missed.

        Raises Unavailable, if the server repeats a page, too. A server may ignore a filter that it knows by another
        name: the caller checks each order.
        """
        return self._every("list_orders", lambda span: self._orders(span, status, paid=paid), page_size)

    def order(self, order_id: int) -> Order | None:
        """Return one order, None if there is none; a deleted one reads as one that never was (LettrLabs' tools)."""
        query: dict[str, Scalar] = {"id": order_id}
        found = _or_none(lambda: self._get("order", "/v1/order", OrderPage, query, order_id))
        rows: Iterator[Order] = iter(found.orders if found else ())
        if found and found.orders and all(row.id != order_id for row in found.orders):
            # An older server knows the filter by another name, ignores ours and lists everything.
            rows = self.iter_orders()
        return next((row for row in rows if row.id == order_id), None)

    def orders(self, order_ids: Sequence[int]) -> dict[int, Order]:
        """Give those of these orders that one call shows, by id: a hundred at most, for the ids travel in the URL.

        One that is missing may be deleted, or the server may know the filter by another name: `order` can tell.
        """
        query: dict[str, Scalar] = {"id": ",".join(map(str, order_ids)), "pageSize": max(len(order_ids), 1)}
        asked = set(order_ids)
        page = self._get("orders", "/v1/order", OrderPage, query)
        return {one.id: one for one in page.orders if one.id in asked}

    def list_recipients(
        self, order_id: int, *, page: int = 0, page_size: int = 500
    ) -> tuple[OrderRecipient, ...]:
        """Return one page of an order's recipients. Pages count from 0."""
        return self._recipients(order_id, Span(page, page_size))

    def iter_recipients(
        self, order_id: int, *, page_size: int = 500, expected: int | None = None
    ) -> Iterator[OrderRecipient]:
        """Yield every recipient of an order once, page by page.

        `expected` is how many the caller knows of: it tells a server that gives the whole list again and again from
        one that never gives a second page. Raises Unavailable, if the server repeats a page, too.
        """
        return self._every(
            "list_recipients", lambda span: self._recipients(order_id, span), page_size, expected
        )

    def proof(self, order_id: int, recipient_id: int | None = None) -> bytes:
        """Give the proof as a PDF, with that recipient's merge fields where one is named."""
        path = f"/v1/order/{order_id}/proof" + ("" if recipient_id is None else f"/{recipient_id}")
        return self._calls.read(Operation("proof", "GET", path, pdf, order_id=order_id))

    def summary(
        self, order_id: int, *, postage: str, production: str, hold_until: date | None = None
    ) -> Quote:
        """Give the price and the dates of an order under these options. Nothing is charged.

        The reply does not repeat the options: whoever approves it compares its lines with what was asked.
        """
        query: dict[str, Scalar] = {
            # Both generations of the two names: an unknown one is ignored, and the default quoted in its place.
            "postage": postage,
            "PostageType": postage,
            "production": production,
            "ProductionSpeed": production,
            "holdUntilDate": hold_until.isoformat() if hold_until else None,
        }
        return self._get("summary", f"/v1/order/{order_id}/checkout", Quote, query, order_id)

    def delivery_status(
        self, order_id: int, *, page_size: int = 500, expected: int | None = None
    ) -> tuple[PieceDelivery, ...]:
        """Return how far each piece of an order has come, page by page, as `iter_recipients` does.

        Whether this list has pages is not stated.
        """
        path = f"/v1/order/{order_id}/recipient-delivery-status"

        def fetch(span: Span) -> tuple[PieceDelivery, ...]:
            return self._get("delivery_status", path, DeliveryReport, span.query(), order_id).recipients

        return tuple(self._every("delivery_status", fetch, page_size, expected))

    def analytics(self, order_ids: Sequence[int]) -> tuple[OrderAnalytics, ...]:
        """Tell how many pieces of each order have come how far. The ids travel in the URL: a hundred at most."""
        if not order_ids:
            return ()
        return self._get("analytics", "/v1/order/analytics", AnalyticsReport, id_list(order_ids)).orders

    def transactions(self, order_ids: Sequence[int]) -> tuple[OrderTransactions, ...]:
        """Tell what each order cost. The ids travel in the URL: a hundred at most."""
        if not order_ids:
            return ()
        return self._get(
            "transactions", "/v1/order/transaction", TransactionReport, id_list(order_ids)
        ).orders

    def me(self) -> Account:
        """Tell whose key it is; a bad key is Refused with 401, one without a plan with 403."""
        return self._get("me", "/v1/me", Account, {})

    def templates(self) -> tuple[Template, ...]:
        """Give the templates that orders may be made of."""
        return self._calls.read(Operation("templates", "GET", "/v1/templates", templates))

    def template(self, template_id: int) -> Template | None:
        """Give one template, None if there is none."""
        return _or_none(lambda: self._get("template", f"/v1/templates/{template_id}", Template, {}))

    def openapi(self) -> dict[str, Any]:
        """Return the vendor's own OpenAPI document, as it stands."""
        return self._calls.read(Operation("openapi", "GET", "/openapi/v3.json", json_object))

    def _orders(self, span: Span, status: str | None, *, paid: bool | None) -> tuple[Order, ...]:
        query: dict[str, Scalar] = {"status": status, "paid": paid, **span.query()}
        return self._get("list_orders", "/v1/order", OrderPage, query).orders

    def _recipients(self, order_id: int, span: Span) -> tuple[OrderRecipient, ...]:
        path = f"/v1/order/{order_id}/recipients"
        return self._get("list_recipients", path, RecipientPage, span.query(), order_id).recipients

    def _every(
        self,
        name: str,
        fetch: Callable[[Span], tuple[Row, ...]],
        page_size: int,
        expected: int | None = None,
    ) -> Iterator[Row]:
        try:
            yield from iterate_pages(fetch, page_size, expected)
        except RepeatedPageError:
            # The journal has each page as it was read; this record is of the list as a whole.
            call = CallRecord.of_list(name, Outcome.UNAVAILABLE)
            raise Unavailable("the vendor repeats a page of the list", None, call) from None

    def _get(
        self,
        name: str,
        path: str,
        shape: type[Shape],
        query: dict[str, Scalar],
        order_id: int | None = None,
    ) -> Shape:
        asked = {key: value for key, value in query.items() if value is not None}
        texts = {
            key: str(value).lower() if isinstance(value, bool) else value for key, value in asked.items()
        }
        target = f"{path}?{urlencode(texts)}" if texts else path
        operation = Operation(name, "GET", target, partial(read_as, shape), summary=asked, order_id=order_id)
        return self._calls.read(operation)


def _nothing(_payload: object) -> None:
    return None


def _or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Refused as refusal:
        if refusal.status == _NOT_FOUND:
            return None
        raise
