"""The vendor's own description of its API, compared with what Mailrun relies on."""

from dataclasses import asdict

from console.errors import CommandError
from console.output import print_result, show_json
from console.session import introduce, knows_vendor, settings_here
from console.vendor_check import quick_vendor
from console.views.formatting import table, text
from lettrlabs import Refused
from lettrlabs.contract import RELIED_ON, Difference, Weight, compare


def check_contract(*, as_json: bool) -> int:
    """Print the differences; returns 1 if one of them breaks mail."""
    settings = settings_here()
    if not knows_vendor(settings):
        raise CommandError("the sandbox does not run: start `mailrun up` in another terminal")
    with quick_vendor(settings) as vendor:
        try:
            found = compare(vendor.openapi())
        except Refused as refused:
            raise CommandError(
                f"LettrLabs does not give out its API document ({refused.status}): nothing was compared"
            ) from None
        except ValueError as error:
            raise CommandError(f"/api/openapi/v3.json is {error}") from None
    if as_json:
        show_json(settings.vendor, calls=len(RELIED_ON), differences=[asdict(one) for one in found])
    else:
        introduce(settings)
        _show(found)
    return 1 if any(one.weight is Weight.BREAKS for one in found) else 0


def _show(found: list[Difference]) -> None:
    if not found:
        print_result(f"All {len(RELIED_ON)} calls are described as Mailrun relies on them.")
        return
    rows = table("", "call", "missing in the vendor's document", fold=("call",))
    for one in sorted(found, key=lambda one: one.weight is not Weight.BREAKS):
        rows.add_row(one.weight, text(one.call), text(one.missing))
    print_result(rows)
