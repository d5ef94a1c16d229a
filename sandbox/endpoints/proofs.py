"""Proofs: a real PDF of the card, front and back, with one recipient's merge fields."""

import base64
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from fpdf import FPDF

from sandbox.domain.templates import TEMPLATES, Template
from sandbox.http.requests import Answer, Call, RefusedError
from sandbox.settings import ProofEncoding

_MERGE_FIELD = re.compile(r"\{\{(\w+)\}\}")
_CARD = (504.0, 360.0)  # 7 by 5 inches, in points
_LINE = 56  # characters of 12 point Courier that fit on the card
# A date of its own would make two proofs of one card differ.
_DRAWN = datetime(2024, 1, 1, tzinfo=UTC)
_OBJECT = b"%d 0 obj\n<< /Length %d >>\nstream\n%b\nendstream\nendobj\n"
_INDEX = (
    b"xref\n0 1\n0000000000 65535 f \n%d 1\n%010d 00000 n \n"
    b"trailer\n<<%b/Prev %d\n>>\nstartxref\n%d\n%%%%EOF\n"
)


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
    encoding = call.world.settings.proof_encoding
    return Answer(_encoded(template.id, _message(template, fields), _address(fields), encoding), bare=True)


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
def _encoded(template: int, message: str, address: str, encoding: ProofEncoding) -> str:
    lines = [line for part in message.splitlines() for line in textwrap.wrap(part, _LINE) or [""]]
    writing = (_block(34, 310, lines), _block(255, 90, address.splitlines()))
    pdf = _design(template).written(b"\n".join(writing))
    match encoding:
        case ProofEncoding.STANDARD:
            return base64.b64encode(pdf).decode()
        case ProofEncoding.UNPADDED:
            # A length that needs padding; blank lines at the end of a PDF mean nothing.
            return base64.b64encode(pdf + b"\n" * (len(pdf) % 3 == 0)).decode().rstrip("=")
        case ProofEncoding.URL_SAFE:
            return base64.urlsafe_b64encode(pdf).decode()
        case ProofEncoding.LEADING_NEWLINE:
            return base64.b64encode(b"\n" + pdf).decode()


@dataclass(frozen=True, slots=True)
class _Design:
    """A drawn card with an empty back. What is written there is appended to the file.

    PDF calls that an incremental update (ISO 32000-1, 7.5.6): the object that holds the back's content is
    given once more, with an index of its own that refers to the first one.
    """

    pdf: bytes
    back: int
    index: int
    trailer: bytes

    def written(self, writing: bytes) -> bytes:
        """Return the PDF with this on its back."""
        start = len(self.pdf)
        body = _OBJECT % (self.back, len(writing), writing)
        return self.pdf + body + _INDEX % (self.back, start, self.trailer, self.index, start + len(body))


@lru_cache
def _design(template: int) -> _Design:
    name = TEMPLATES[template].name
    pdf = FPDF(unit="pt", format=_CARD)
    pdf.set_creation_date(_DRAWN)
    pdf.set_title(name)
    pdf.set_font("Courier", "", 12)  # the first font: /F1
    pdf.add_page()
    pdf.set_font_size(24)
    pdf.text(56, 180, name)
    pdf.add_page()
    pdf.text(0, 0, " ")  # so that the back has the font too
    drawn = bytes(pdf.output()).rstrip() + b"\n"
    return _Design(
        pdf=drawn,
        back=int(_last(rb"/Contents (\d+) 0 R", drawn)),
        index=int(_last(rb"startxref\s+(\d+)", drawn)),
        trailer=_last(rb"trailer\s*<<(.*?)>>\s*startxref", drawn),
    )


def _last(pattern: bytes, pdf: bytes) -> bytes:
    found: list[bytes] = re.findall(pattern, pdf, re.DOTALL)
    return found[-1]


def _block(left: int, top: int, lines: Iterable[str]) -> bytes:
    shown = b"\n".join(b"(%b) Tj T*" % _literal(line) for line in lines)
    return b"BT /F1 12 Tf 17 TL %d %d Td\n%b\nET" % (left, top, shown)


def _literal(line: str) -> bytes:
    # The standard PDF fonts hold Windows-1252: other letters lose their accents, the rest is a question mark.
    held = line
    if not line.isascii():
        held = "".join(
            c if c.encode("cp1252", "ignore") else unicodedata.normalize("NFKD", c)[0] for c in line
        )
    return re.sub(rb"([\\()])", rb"\\\1", held.encode("cp1252", "replace"))
