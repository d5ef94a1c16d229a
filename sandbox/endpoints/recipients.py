"""Putting people on an order, listing them and taking them off."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.domain.addresses import complaint
from sandbox.domain.recipients import Sent, nested
from sandbox.endpoints.orders import refuse_unless_draft, shown_people
from sandbox.events import RecipientsAttached, RecipientsRemoved
from sandbox.faults import FaultKind
from sandbox.http.requests import Answer, Call, RefusedError
from sandbox.settings import DO_NOT_MAIL_MARKER, DoNotMail

_MOST = 1000  # recipients in one request (LettrLabs reference 1.0.0)
_NOT_TAKEN = "Address could not be validated"


@dataclass(slots=True)
class _Sorting:
    """The people of one request as they fall into accepted and not."""

    unwanted: tuple[DoNotMail, ...]
    accepted: list[object] = field(default_factory=list)
    refused: list[dict[str, object]] = field(default_factory=list)
    duplicated: int = 0
    do_not_mail: int = 0
    invalid: int = 0
    _seen: set[str] = field(default_factory=set)

    def know(self, people: Iterable[Sent]) -> None:
        """Take these people for known, so that they are duplicates if they come again."""
        self._seen.update(one.person() for one in people)

    def take(self, wire: object) -> None:
        """Accept this recipient or note the reason why not."""
        sent = Sent.read(wire if isinstance(wire, dict) else {})
        reason = complaint(sent.address)
        if reason is not None:
            self.invalid += 1
        elif any(one.matches(sent.personal, sent.address) for one in self.unwanted):
            self.do_not_mail += 1
            reason = "Do not mail"
        elif (person := sent.person()) in self._seen:
            self.duplicated += 1
            reason = "Duplicate"
        else:
            self._seen.add(person)
            self.accepted.append(wire)
            return
        self._refuse(sent, reason)

    def keep_only(self, fraction: float) -> None:
        """Refuse those beyond this part of the accepted after all, with a reason."""
        keep = int(len(self.accepted) * fraction)
        for wire in self.accepted[keep:]:
            self.invalid += 1
            self._refuse(Sent.read(wire if isinstance(wire, dict) else {}), _NOT_TAKEN)
        del self.accepted[keep:]

    def payload(self, order: int, submitted: int) -> dict[str, object]:
        """Return the counts as the API reports them."""
        return {
            "orderId": order,
            "totalRecipients": len(self.accepted),
            "submittedRecipients": submitted,
            "acceptedRecipients": len(self.accepted),
            "deliverable": {"addressValidated": len(self.accepted), "addressInvalidated": 0},
            "undeliverable": {
                "duplicated": self.duplicated,
                "doNotMail": self.do_not_mail,
                "invalidAddress": self.invalid,
                "undeliverableRecipients": self.refused,
            },
        }

    def _refuse(self, sent: Sent, reason: str) -> None:
        self.refused.append(
            {
                "address": dict(sent.address),
                "personal": dict(sent.personal),
                "metadata": dict(sent.metadata),
                "reason": reason,
            }
        )


def append_recipients(call: Call) -> Answer:
    """Append people to a draft; by default those already on it are not looked at, and a repetition appends again.

    Accepts the object and the bare array. The alias `recipients:append` appends even where the operator made
    PUT replace.
    """
    world, settings = call.world, call.world.settings
    if call.route.always_appends and not settings.append_alias:
        raise RefusedError(404, "No such path")
    order = call.order()
    refuse_unless_draft(order, call.now, "changed")
    people = _people(call)
    replaced = settings.replace_on_put and not call.route.always_appends
    sorting = _Sorting((*settings.do_not_mail, DO_NOT_MAIL_MARKER))
    if settings.deduplicate_across_order and not replaced:
        sorting.know(one.opened() for one in order.recipients.values())
    for wire in people:
        sorting.take(wire)
    fault = call.fault if call.struck_by(FaultKind.PARTIAL) else None
    if fault is not None and not fault.silent:
        sorting.keep_only(fault.fraction)
    kept = sorting.accepted
    if fault is not None and fault.silent:
        kept = kept[: int(len(kept) * fault.fraction)]
    fact = RecipientsAttached(
        order.id, world.next_recipients(len(kept)), [_encode(wire) for wire in kept], replaced, call.now
    )
    return Answer(sorting.payload(order.id, len(people)), (fact,))


def list_recipients(call: Call) -> Answer:
    """List the people of an order, a page at a time; `query` looks for a text in names and addresses."""
    order = call.order()
    page = call.page()
    wanted = call.query.get("query", "").casefold()
    people = shown_people(call, order)
    if wanted:
        people = [one for one in people if wanted in one.opened().person().casefold()]
    return Answer({"orderId": order.id, "recipients": nested(people[page])})


def delete_recipients(call: Call) -> Answer:
    """Take people off a draft by their ids; ids that are not on it are passed over."""
    order = call.order()
    refuse_unless_draft(order, call.now, "changed")
    given = call.members().get("recipientsIds")
    if not isinstance(given, list) or not all(type(number) is int for number in given):
        raise RefusedError(400, "recipientsIds is a list of numbers", "RecipientsIdsRequired")
    present = [number for number in dict.fromkeys(given) if number in order.recipients]
    return Answer({"orderId": order.id}, (RecipientsRemoved(order.id, present, call.now),))


def _people(call: Call) -> list[object]:
    body = call.body
    people = body.get("recipients") if isinstance(body, dict) else body
    if not isinstance(people, list) or not people:
        raise RefusedError(400, "recipients is a list of at least one", "RecipientsRequired")
    if len(people) > _MOST:
        raise RefusedError(400, f"At most {_MOST} recipients per request", "TooManyRecipients")
    return people


_encode = json.JSONEncoder(separators=(",", ":")).encode
