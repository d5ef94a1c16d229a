"""Persons: what is kept about one, and forgetting them."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from pathlib import Path
from typing import Annotated

import typer

from console.cli.identity_options import Address, CustomerId, Email, Name, Unit, Zip
from console.cli.options import group

app = group("Hand out or forget what is kept about one person.")


@app.command()
def export(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the JSON goes.")],
    *,
    name: Name = None,
    address: Address = None,
    unit: Unit = None,
    zip_code: Zip = None,
    email: Email = None,
    customer_id: CustomerId = None,
) -> None:
    """Save all that is kept about a person: pieces, events, suppressions."""
    from console.actions.suppression import Named, export_person

    export_person(
        Named(name=name, address=address, unit=unit, zip_code=zip_code, email=email, customer_id=customer_id),
        output,
    )


@app.command()
def erase(
    *,
    name: Name = None,
    address: Address = None,
    unit: Unit = None,
    zip_code: Zip = None,
    email: Email = None,
    customer_id: CustomerId = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Blank a person's data wherever it is kept, and never mail them again; counts and sums stay."""
    from console.actions.suppression import Named, erase_person

    erase_person(
        Named(name=name, address=address, unit=unit, zip_code=zip_code, email=email, customer_id=customer_id),
        yes=yes,
    )
