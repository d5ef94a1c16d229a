"""The designs and fonts this account has; the price of a piece goes with its design."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Template:
    """A design: `price` is dollars a piece before postage, `message` holds `{{mergeField}}` places."""

    id: int
    name: str
    product: str
    font: str
    price: Decimal
    message: str

    def wire(self) -> dict[str, object]:
        """Return the design as the API shows it."""
        return {"id": self.id, "name": self.name, "productType": self.product, "handwrittenFont": self.font}


TEMPLATES = {
    template.id: template
    for template in (
        Template(
            1001,
            "Thank you card",
            "Card",
            "Blue Ink",
            Decimal("3.25"),
            "Dear {{firstName}},\n\nthank you for trusting us with your home. {{custom1}}\n\nWarmly, your team",
        ),
        Template(
            1002,
            "Postcard",
            "Postcard",
            "Quick Note",
            Decimal("1.35"),
            "Hello {{firstName}}! {{custom1}} We are in {{city}} this month.",
        ),
        Template(
            1003,
            "Handwritten letter",
            "Letter",
            "Formal",
            Decimal("2.75"),
            "Dear {{firstName}} {{lastName}},\n\n{{custom1}}\n\n{{custom2}}\n\nYours sincerely",
        ),
        Template(
            1004,
            "Birthday card",
            "Card",
            "Blue Ink",
            Decimal("3.25"),
            "Happy birthday, {{firstName}}! {{custom1}}",
        ),
        Template(
            1005,
            "Service reminder",
            "Postcard",
            "Quick Note",
            Decimal("1.15"),
            "{{firstName}}, it has been a while: {{custom1}}. Call us before {{custom2}}.",
        ),
    )
}
FONTS = ({"id": 1, "name": "Blue Ink"}, {"id": 2, "name": "Quick Note"}, {"id": 3, "name": "Formal"})
