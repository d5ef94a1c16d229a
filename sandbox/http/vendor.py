"""The vendor at its desk: who may ask, what goes wrong today, and carrying a call out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from sandbox import NO_PLAN_KEY
from sandbox.endpoints import checkout, orders, proofs, recipients, reports
from sandbox.events import CallsCounted, RuleMatched
from sandbox.faults import FaultRule, meet
from sandbox.http import openapi
from sandbox.http.envelopes import Reply, answered, forbidden, refused, unauthorised
from sandbox.http.queries import understood
from sandbox.http.requests import Answer, Call, RefusedError
from sandbox.http.routes import Endpoint, Route
from sandbox.persisted_state import Books

_DESKS: Mapping[Endpoint, Callable[[Call], Answer]] = {
    Endpoint.CREATE_ORDER: orders.create_order,
    Endpoint.LIST_ORDERS: orders.list_orders,
    Endpoint.DELETE_ORDER: orders.delete_order,
    Endpoint.APPEND_RECIPIENTS: recipients.append_recipients,
    Endpoint.LIST_RECIPIENTS: recipients.list_recipients,
    Endpoint.DELETE_RECIPIENTS: recipients.delete_recipients,
    Endpoint.PROOF: proofs.proof,
    Endpoint.SUMMARY: checkout.summary,
    Endpoint.CHECKOUT: checkout.checkout,
    Endpoint.DELIVERY_STATUS: reports.delivery_status,
    Endpoint.ANALYTICS: reports.analytics,
    Endpoint.TRANSACTIONS: reports.transactions,
    Endpoint.TEMPLATES: reports.templates,
    Endpoint.TEMPLATE: reports.template,
    Endpoint.FONTS: reports.fonts,
    Endpoint.ME: reports.me,
    Endpoint.OPENAPI: openapi.describe,
}


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it came: where to, with which query and body."""

    route: Route
    query: bytes
    body: bytes


class Vendor:
    """Answers calls from the books and writes into them. Every method is quick and waits for nothing."""

    def __init__(self, books: Books, key: str) -> None:
        self._books = books
        self._key = key.encode()

    def turned_away(self, route: Route, key: bytes | None) -> Reply | None:
        """Return the 401 or 403 this key gets, or None if it may ask; the API's description needs no key."""
        if key == self._key or route.endpoint is Endpoint.OPENAPI:
            return None
        nth = self.skip(route)
        return forbidden(nth) if key == NO_PLAN_KEY.encode() else unauthorised(nth)

    def fault_for(self, route: Route) -> FaultRule | None:
        """Return the fault that strikes this call, and count it."""
        scripts = self._books.world.scripts
        if not scripts:
            return None
        met, fault = meet(scripts.values(), route.endpoint)
        if met:
            self._books.record(*(RuleMatched(one.number, one.matched, one.fired) for one in met))
        return fault

    def skip(self, route: Route) -> int:
        """Count a call that is not carried out; returns how many of its endpoint arrived before."""
        nth = self._books.world.arrived[route.endpoint]
        self._books.record(CallsCounted(route.endpoint))
        return nth

    def carry_out(self, request: Request, fault: FaultRule | None) -> Reply:
        """Carry the call out, record what it changed, and return the answer."""
        route = request.route
        nth = self._books.world.arrived[route.endpoint]
        try:
            answer = _DESKS[route.endpoint](self._opened(request, fault))
        except RefusedError as error:
            self.skip(route)
            return refused(error, nth, self._books.world.settings)
        self._books.record(CallsCounted(route.endpoint, applied=1), *answer.facts)
        return answered(answer, nth, self._books.world.settings)

    def _opened(self, request: Request, fault: FaultRule | None) -> Call:
        try:
            body = json.loads(request.body) if request.body else None
            query = dict(parse_qsl(request.query.decode()))
        except (ValueError, RecursionError):
            raise RefusedError(400, "The request is not valid JSON") from None
        world = self._books.world
        asked = understood(query, world.settings.query_names)
        return Call(world, request.route, asked, body, self._books.now(), fault)
