"""The ASGI application: lets a call in, lets the fault strike it, and sees to its answer."""

import asyncio
import logging
from functools import partial
from itertools import count

from starlette.types import Receive, Scope, Send

from sandbox.control import Control
from sandbox.faults import FaultKind, FaultRule
from sandbox.http.envelopes import failed, json_reply, too_many
from sandbox.http.responses import Exchange
from sandbox.http.routes import Route, route
from sandbox.http.vendor import Request, Vendor

_log = logging.getLogger("sandbox")


class Application:
    """The vendor's API under /api/v1 and the operator's under /sandbox, on one port."""

    def __init__(self, vendor: Vendor, control: Control) -> None:
        self._vendor = vendor
        self._control = control
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or break it off."""
        exchange = Exchange(scope, receive, send, f"sandbox-{next(self._numbers):08}")
        try:
            if scope["path"].startswith("/sandbox/"):
                reply = self._control.reply(scope, await exchange.body())
                await exchange.send(reply)
            elif (found := route(scope["method"], scope["path"])) is None:
                await exchange.send(json_reply(404, {"errors": ["No such path"], "hasErrors": True}))
            else:
                await self._answer(scope, found, exchange)
        except Exception:  # noqa: BLE001 - whatever broke, the caller gets the 500 a vendor would send
            _log.exception("a call could not be answered")
            await exchange.send(failed(500, 1))

    async def _answer(self, scope: Scope, found: Route, exchange: Exchange) -> None:
        key = next((value for name, value in scope["headers"] if name == b"x-api-key"), None)
        if (denied := self._vendor.turned_away(found, key)) is not None:
            await exchange.send(denied)
            return
        fault = self._vendor.fault_for(found)
        if fault is not None and fault.kind is FaultKind.REFUSE:
            self._vendor.skip(found)
            await exchange.reset()
            return
        request = Request(found, scope["query_string"], await exchange.body())
        if fault is None:
            await exchange.send(self._vendor.carry_out(request, None))
        else:
            await self._strike(fault, request, exchange)

    async def _strike(self, fault: FaultRule, request: Request, exchange: Exchange) -> None:
        skip = partial(self._vendor.skip, request.route)
        carry_out = partial(self._vendor.carry_out, request, fault)
        match fault.kind:
            case FaultKind.CUT_BEFORE:
                skip()
                await exchange.cut()
            case FaultKind.CUT_AFTER:
                carry_out()
                await exchange.cut()
            case FaultKind.TRUNCATE:
                await exchange.send_half(carry_out())
            case FaultKind.ERROR_BEFORE:
                await exchange.send(failed(fault.status, skip()))
            case FaultKind.ERROR_AFTER:
                carry_out()
                await exchange.send(failed(fault.status, fault.status))
            case FaultKind.TOO_MANY:
                await exchange.send(too_many(fault.retry_after, skip()))
            case FaultKind.SLOW:
                await self._dawdle(fault, request, exchange)
            case FaultKind.HANG:
                carry_out() if fault.applied else skip()
                await exchange.gone()
            case _:
                await exchange.send(carry_out())

    async def _dawdle(self, fault: FaultRule, request: Request, exchange: Exchange) -> None:
        early = self._vendor.carry_out(request, fault) if fault.applied else None
        await asyncio.sleep(fault.seconds)
        await exchange.send(early or self._vendor.carry_out(request, fault))
