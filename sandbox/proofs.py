"""Proofs: a real PDF of the card, front and back, with one recipient's merge fields."""

import base64
import re
import textwrap
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from fpdf import FPDF

from sandbox.calls import Answer, Call, RefusedError
from sandbox.templates import TEMPLATES, Template

_MERGE_FIELD = re.compile(r"\{\{(\w+)\}\}")
_CARD = (178.0, 127.0)  # 7 by 5 inches, in millimetres
_LINE = 56  # characters of 12 point Courier that fit on the card
# A date of its own would make two proofs of one card differ.
_DRAWN = datetime(2024, 1, 1, tzinfo=UTC)


def proof(call: Call) -> Answer:
    """Return the order's proof, a JSON string of base64: of one recipient, or of the first if none is asked.

    An order without people shows the design with its places unfilled.
    """
    order = call.order()
    wanted = call.route.recipient
    recipient = order.recipients.get(wanted) if wanted else next(iter(order.recipients.values()), None)
    if recipient is None and wanted:
        raise RefusedError(404, "Recipient not found", "RecipientNotFound")
    fields = {} if recipient is None else recipient.merge_fields()
    template = order.template
    return Answer(_drawn(template.id, _message(template, fields), _address(fields)), bare=True)


def _message(template: Template, fields: Mapping[str, str]) -> str:
    if not fields:
        return template.message
    return _MERGE_FIELD.sub(lambda place: fields.get(place[1], ""), template.message)


def _address(fields: Mapping[str, str]) -> str:
    def field(name: str) -> str:
        return fields.get(name, "")

    if not fields:
        return "{{firstName}} {{lastName}}\n{{address1}}\n{{city}}, {{state}} {{zipCode}}"
    lines = (
        f"{field('firstName')} {field('lastName')}",
        field("toOrganization"),
        field("address1"),
        field("address2"),
        f"{field('city')}, {field('state')} {field('zipCode')}",
    )
    return "\n".join(line.strip() for line in lines if line.strip())


@lru_cache(maxsize=1024)
def _drawn(template: int, message: str, address: str) -> str:
    name = TEMPLATES[template].name
    pdf = FPDF(unit="mm", format=_CARD)
    pdf.set_creation_date(_DRAWN)
    pdf.set_title(name)
    pdf.set_font("Courier", "B", 24)
    pdf.add_page()
    pdf.text(20, 65, name)
    pdf.add_page()
    pdf.set_font("Courier", "", 12)
    lines = [line for part in message.splitlines() for line in textwrap.wrap(part, _LINE) or [""]]
    for nth, line in enumerate(lines):
        pdf.text(12, 16 + 6 * nth, _printable(line))
    for nth, line in enumerate(address.splitlines()):
        pdf.text(90, 95 + 6 * nth, _printable(line))
    return base64.b64encode(bytes(pdf.output())).decode()


def _printable(line: str) -> str:
    # The standard PDF fonts hold Latin-1: other letters lose their accents, the rest becomes a question mark.
    if line.isascii():
        return line
    kept = "".join(c if ord(c) < 256 else unicodedata.normalize("NFKD", c)[0] for c in line)  # noqa: PLR2004
    return kept.encode("latin-1", "replace").decode("latin-1")
