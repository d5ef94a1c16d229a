"""The vendor's five calls as both peers make them: plain httpx, careful where the documentation asks for care.

Whatever is not a 200 raises and is retried by the peer. A checkout that is refused is looked at first: it may be that
the try before went through. Every number of seconds is as in the Mailrun of the same run.
"""

import os
from typing import Any

import httpx

from bench.workload import Person, SampleMailing

QUOTE = "postage=Standard&production=Normal"
CHECKOUT = {"postageType": "Standard", "productionSpeed": "Normal", "holdUntilDate": None, "autoBill": True}

_TIMEOUT = httpx.Timeout(2.0, connect=1.0)
_DONE = frozenset({"Paid", "Ready For Production", "In Production", "In QA", "InShipping", "Mailed"})


class DeclinedError(Exception):
    """The payment failed; trying again would only fail again."""


class RefusedError(Exception):
    """The vendor understood and said no."""


class SettlingError(Exception):
    """Paid for, and not yet settled."""


class Vendor:
    """The account, by its key."""

    def __init__(self) -> None:
        """Connect on first use."""
        self._http = httpx.Client(
            base_url=os.environ["LETTRLABS_BASE_URL"],
            headers={"X-API-KEY": os.environ["LETTRLABS_API_KEY"]},
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_connections=32),
        )

    def create(self, letter: SampleMailing) -> int:
        """Create the order and return its id."""
        return int(self._call("POST", "/v1/order", {"templateId": letter.template})["orderId"])

    def attach(self, order: int, letter: SampleMailing) -> list[str]:
        """Put the people on the order; returns the keys of those that the vendor says it will not mail to."""
        body = {"recipients": [on_the_wire(person) for person in letter.people]}
        told = self._call("PUT", f"/v1/order/{order}/recipients", body)
        refused = told["undeliverable"]["undeliverableRecipients"]
        if told["totalRecipients"] + len(refused) != len(letter.people):
            raise RefusedError(f"order {order}: not everybody was answered for")
        lines = {one["address"]["address1"] for one in refused}
        return [person.key for person in letter.people if person.address1 in lines]

    def proof(self, order: int) -> None:
        """Fetch the proof."""
        self._call("GET", f"/v1/order/{order}/proof")

    def summarize(self, order: int) -> float:
        """Return what it will cost."""
        return float(self._call("GET", f"/v1/order/{order}/checkout?{QUOTE}")["balance"])

    def checkout(self, order: int) -> None:
        """Pay, unless an earlier try did."""
        try:
            self._call("POST", f"/v1/order/{order}/checkout", CHECKOUT)
        except RefusedError:
            if self._status(order) == "Draft":
                raise

    def settled(self, order: int) -> None:
        """Return if it is paid for; raises SettlingError while that is not known, DeclinedError if it failed."""
        status = self._status(order)
        if status == "Draft":
            raise DeclinedError(f"order {order}: the payment failed")
        if status not in _DONE:
            raise SettlingError(f"order {order} is {status}")

    def _status(self, order: int) -> str:
        return str(self._call("GET", f"/v1/order?id={order}")["orders"][0]["status"])

    def _call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        answer = self._http.request(method, path, json=body)
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise RefusedError(f"{method} {path}: refused")
        answer.raise_for_status()
        told = answer.json()
        return told["payload"] if isinstance(told, dict) else told


def on_the_wire(person: Person) -> dict[str, object]:
    """Return a person as the vendor wants it."""
    return {
        "personal": {"firstName": person.first_name, "lastName": person.last_name},
        "address": {
            "address1": person.address1,
            "city": person.city,
            "state": person.state,
            "zipCode": person.zip_code,
        },
    }
