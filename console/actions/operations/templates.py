"""The templates of the account, listed."""

from console.errors import CommandError
from console.explanations import UNAUTHORIZED, refusal
from console.output import print_result, show_json
from console.session import introduce, knows_vendor, settings_here
from console.vendor_check import quick_vendor
from console.views.formatting import table, text
from lettrlabs import Refused


def list_templates(*, as_json: bool) -> None:
    """Print the templates that orders may be made of."""
    settings = settings_here()
    if not knows_vendor(settings):
        raise CommandError("the sandbox does not run: start `mailrun up` in another terminal")
    with quick_vendor(settings) as vendor:
        try:
            found = sorted(vendor.templates(), key=lambda one: one.id)
        except Refused as refused:
            if refused.status == UNAUTHORIZED:
                raise CommandError(refusal(refused)) from None
            raise CommandError(
                f"LettrLabs does not list the templates of this account ({refused.status}): "
                "look up a template's number on its web site; sending does not need the list"
            ) from None
    if as_json:
        show_json(settings.vendor, templates=[one.model_dump() for one in found])
        return
    introduce(settings)
    rows = table("template", "name", "product", right=("template",), fold=("name",))
    for one in found:
        rows.add_row(str(one.id), text(one.name or "-"), text(one.product_type or "-"))
    print_result(rows if found else "The account has no templates.")
