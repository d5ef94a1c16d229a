"""The vendor's endpoints, one method each."""

from collections.abc import Iterator, Sequence
from datetime import date
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from lettrlabs.answers import Answer, Sink
from lettrlabs.rate import RateLimit
from lettrlabs.timeouts import Timeouts
from lettrlabs.wire.account import Account, Template
from lettrlabs.wire.orders import Order
from lettrlabs.wire.quotes import Checkout, Quote
from lettrlabs.wire.recipients import AppendResult, NewRecipient, OrderRecipient
from lettrlabs.wire.reports import OrderAnalytics, OrderTransactions, PieceDelivery

MAX_RECIPIENTS = 1000


class LettrLabs:
    """One account at LettrLabs. Thread-safe; build it once in each process, after any fork, and close it at the end."""

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        *,
        timeouts: Timeouts = Timeouts(),
        rate: RateLimit | None = None,
        connections: int = 32,
    ) -> None:
        """Signatures first: the bodies follow."""
        raise NotImplementedError

    def observed(self, sink: Sink) -> Self:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # writes: an answer, never an exception for what the vendor or the network did
    def create_order(self, template_id: int) -> Answer[int]:
        raise NotImplementedError

    def delete_order(self, order_id: int) -> Answer[None]:
        raise NotImplementedError

    def append_recipients(self, order_id: int, recipients: Sequence[NewRecipient]) -> Answer[AppendResult]:
        raise NotImplementedError

    def delete_recipients(self, order_id: int, recipient_ids: Sequence[int]) -> Answer[None]:
        raise NotImplementedError

    def checkout(
        self,
        order_id: int,
        *,
        postage_type: str,
        production_speed: str,
        hold_until: date | None,
        auto_bill: bool,
    ) -> Answer[Checkout]:
        raise NotImplementedError

    # reads: the value, or Unavailable / Refused raised
    def list_orders(
        self,
        *,
        status: str | None = None,
        paid: bool | None = None,
        product: str | None = None,
        postage: str | None = None,
        show_recipients: bool = False,
        page: int = 0,
        page_size: int = 100,
    ) -> tuple[Order, ...]:
        raise NotImplementedError

    def iter_orders(
        self,
        *,
        status: str | None = None,
        paid: bool | None = None,
        product: str | None = None,
        postage: str | None = None,
        show_recipients: bool = False,
        page_size: int = 100,
    ) -> Iterator[Order]:
        raise NotImplementedError

    def order(self, order_id: int, *, show_recipients: bool = False) -> Order | None:
        raise NotImplementedError

    def list_recipients(
        self, order_id: int, *, query: str | None = None, page: int = 0, page_size: int = 500
    ) -> tuple[OrderRecipient, ...]:
        raise NotImplementedError

    def iter_recipients(self, order_id: int, *, page_size: int = 500) -> Iterator[OrderRecipient]:
        raise NotImplementedError

    def proof(self, order_id: int, recipient_id: int | None = None) -> bytes:
        raise NotImplementedError

    def summary(
        self, order_id: int, *, postage: str, production: str, hold_until: date | None = None
    ) -> Quote:
        raise NotImplementedError

    def delivery_status(self, order_id: int) -> tuple[PieceDelivery, ...]:
        raise NotImplementedError

    def analytics(self, order_ids: Sequence[int]) -> tuple[OrderAnalytics, ...]:
        raise NotImplementedError

    def transactions(self, order_ids: Sequence[int]) -> tuple[OrderTransactions, ...]:
        raise NotImplementedError

    def me(self) -> Account:
        raise NotImplementedError

    def templates(self) -> tuple[Template, ...]:
        raise NotImplementedError

    def template(self, template_id: int) -> Template | None:
        raise NotImplementedError
