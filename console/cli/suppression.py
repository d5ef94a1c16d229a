"""Suppression: who is not to be mailed."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from pathlib import Path
from typing import Annotated

import typer

from console.cli.identity_options import Address, CustomerId, Email, Name, Organization, Unit, Zip
from console.cli.options import AsJson, ColumnMapping, SaveMapping, Sheet, group

app = group("Keep people from being mailed: by person, address, email or customer id.")

ListName = Annotated[
    str,
    typer.Option("--list", metavar="NAME", help="do-not-mail holds for all mail; others for who names them."),
]


@app.command()
def add(
    *,
    name: Name = None,
    organization: Organization = None,
    address: Address = None,
    unit: Unit = None,
    zip_code: Zip = None,
    email: Email = None,
    customer_id: CustomerId = None,
    list_name: ListName = "do-not-mail",
) -> None:
    """Put somebody on a list, by every mark given; an address without a name is everybody there."""
    from console.actions.suppression import Named, suppress

    somebody = Named(
        name=name,
        organization=organization,
        address=address,
        unit=unit,
        zip_code=zip_code,
        email=email,
        customer_id=customer_id,
    )
    suppress(somebody, list_name)


@app.command()
def remove(
    *,
    name: Name = None,
    organization: Organization = None,
    address: Address = None,
    unit: Unit = None,
    zip_code: Zip = None,
    email: Email = None,
    customer_id: CustomerId = None,
    list_name: ListName = "do-not-mail",
) -> int:
    """Take somebody off a list, by the marks given."""
    from console.actions.suppression import Named, release

    somebody = Named(
        name=name,
        organization=organization,
        address=address,
        unit=unit,
        zip_code=zip_code,
        email=email,
        customer_id=customer_id,
    )
    return release(somebody, list_name)


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A list of people not to mail: CSV, .xlsx or .ods; - is standard input."
        ),
    ],
    *,
    list_name: ListName = "do-not-mail",
    mapping: ColumnMapping = None,
    save_mapping: SaveMapping = None,
    sheet: Sheet = None,
    households: Annotated[
        bool, typer.Option("--households", help="Nobody at these addresses, not only the people named.")
    ] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rows go that name nobody; else beside FILE, as .rejected.csv.")
    ] = None,
) -> None:
    """Put everybody of a file on a list, all or nothing; every mark of a row counts."""
    from console.actions.suppression import suppress_file

    suppress_file(
        file,
        list_name,
        mapping or [],
        rejects,
        save_mapping=save_mapping,
        sheet=sheet,
        households=households,
    )


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """Show the lists, and how many entries of each kind they hold."""
    from console.actions.suppression import list_lists

    list_lists(as_json=as_json)
