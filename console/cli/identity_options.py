"""Options that name somebody. They are never printed, logged or kept: only their digests are."""

from typing import Annotated

import typer

Name = Annotated[str | None, typer.Option("--name", help="First and last name, as on a letter.")]
Organization = Annotated[str | None, typer.Option("--organization", help="Where there is no name.")]
Address = Annotated[
    str | None, typer.Option("--address", metavar="STREET", help="Street line, with the unit or not.")
]
Unit = Annotated[str | None, typer.Option("--unit", help="Apartment or suite.")]
Zip = Annotated[str | None, typer.Option("--zip", metavar="ZIP", help="The address's ZIP code.")]
Email = Annotated[str | None, typer.Option("--email", help="Email address.")]
CustomerId = Annotated[
    str | None, typer.Option("--customer-id", metavar="ID", help="A customer id of yours.")
]
