"""The operator's API under /sandbox: the ledger, the faults, the clock, the manners, and the port itself."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import parse_qs

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.types import Scope

from sandbox.clock import text
from sandbox.endpoints.support import OrderChange, change_order
from sandbox.events import RuleMatched, RulesSet
from sandbox.faults import FaultRule
from sandbox.http.envelopes import Reply, json_reply
from sandbox.ledger import calls, ledger, order_entry, summary
from sandbox.persisted_state import Books
from sandbox.settings import STRICT, Settings


class Door(Protocol):
    """The listening port, as far as the operator may move it."""

    def close_for(self, seconds: float) -> None:
        """Stop listening for this long, so that connections are really refused, then listen again."""


class _Move(BaseModel):
    model_config = STRICT

    advance_seconds: float = Field(default=0.0, ge=0)
    speed: float | None = Field(default=None, gt=0)


class _Closing(BaseModel):
    model_config = STRICT

    seconds: float = Field(gt=0, le=3600)


_ORDER_PATH = re.compile(r"/sandbox/orders/(\d{1,18})")
_Rules = TypeAdapter[FaultRule | list[FaultRule]](FaultRule | list[FaultRule])
_Patch = TypeAdapter[dict[str, object]](dict[str, object])


class Control:
    """Answers the operator. It needs no key and therefore listens to the loopback interface only."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.door: Door | None = None
        self._actions: Mapping[tuple[str, str], Callable[[bytes], object]] = {
            ("GET", "/sandbox/calls"): self._calls,
            ("GET", "/sandbox/faults"): self._faults,
            ("POST", "/sandbox/faults"): self._add_faults,
            ("DELETE", "/sandbox/faults"): self._clear_faults,
            ("GET", "/sandbox/clock"): self._clock,
            ("POST", "/sandbox/clock"): self._move_clock,
            ("GET", "/sandbox/settings"): self._settings,
            ("POST", "/sandbox/settings"): self._change_settings,
            ("POST", "/sandbox/listen"): self._close_door,
        }

    def reply(self, scope: Scope, body: bytes) -> Reply:
        """Do what the operator asks: 200 with the state after it, 400 with the reason, 403 or 404."""
        client = scope["client"]
        if client is None or not ip_address(client[0]).is_loopback:
            return json_reply(403, {"error": "the control API answers the loopback interface only"})
        if (scope["method"], scope["path"]) == ("GET", "/sandbox/ledger"):
            return json_reply(200, self._ledger(scope["query_string"]))
        action = self._actions.get((scope["method"], scope["path"]))
        order = _ORDER_PATH.fullmatch(scope["path"]) if scope["method"] == "POST" else None
        try:
            if order is not None:
                return self._change_order(int(order[1]), body)
            if action is not None:
                return json_reply(200, action(body))
            return json_reply(404, {"error": "no such control; see docs/sandbox.md"})
        except ValidationError as error:
            return json_reply(400, {"error": _reasons(error)})

    def _ledger(self, query: bytes) -> object:
        short = parse_qs(query.decode()).get("summary", ["0"])[-1] not in ("0", "false")
        tell = summary if short else ledger
        return tell(self._books.world, self._books.now())

    def _change_order(self, number: int, body: bytes) -> Reply:
        if not change_order(self._books, number, OrderChange.model_validate_json(body)):
            return json_reply(404, {"error": f"there is no order {number}"})
        return json_reply(200, order_entry(self._books.world, number, self._books.now()))

    def _calls(self, _: bytes) -> object:
        return calls(self._books.world)

    def _faults(self, _: bytes) -> object:
        return {"faults": [script.wire() for script in self._books.world.scripts.values()]}

    def _add_faults(self, body: bytes) -> object:
        given = _Rules.validate_json(body)
        scripts = list(self._books.world.scripts.values())
        added = given if isinstance(given, list) else [given]
        rules = [script.rule for script in scripts] + [self._seeded(rule) for rule in added]
        self._books.record(
            RulesSet([rule.model_dump(mode="json") for rule in rules]),
            *(RuleMatched(script.number, script.matched, script.fired) for script in scripts),
        )
        return self._faults(body)

    def _seeded(self, rule: FaultRule) -> FaultRule:
        if "seed" in rule.model_fields_set:
            return rule
        return rule.model_copy(update={"seed": self._books.world.settings.seed})

    def _clear_faults(self, body: bytes) -> object:
        self._books.record(RulesSet([]))
        return self._faults(body)

    def _clock(self, _: bytes) -> object:
        return {"now": text(self._books.now()), "speed": self._books.world.clock.speed}

    def _move_clock(self, body: bytes) -> object:
        move = _Move.model_validate_json(body)
        self._books.move_clock(advance=move.advance_seconds, speed=move.speed)
        return self._clock(body)

    def _settings(self, _: bytes) -> object:
        return self._books.world.settings.model_dump(mode="json", by_alias=True)

    def _change_settings(self, body: bytes) -> object:
        now = self._books.world.settings.model_dump(mode="json", by_alias=True)
        self._books.change_settings(Settings.model_validate({**now, **_Patch.validate_json(body)}))
        return self._settings(body)

    def _close_door(self, body: bytes) -> object:
        closing = _Closing.model_validate_json(body)
        if self.door is not None:
            self.door.close_for(closing.seconds)
        return {"closedForSeconds": closing.seconds}


def _reasons(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc']) or 'body'}: {one['msg']}" for one in error.errors()
    )
