"""Serving HTTP from the command line."""

from console.api.server import listen, serve
from console.errors import CommandError
from console.local.services import open_database
from console.session import installed_settings, introduce


def run_web(host: str, port: int) -> int:
    """Serve until told to end; returns 0. Raises Complaint if the port cannot be had."""
    settings = installed_settings(broker=False)
    introduce(settings)
    try:
        listener = listen(host, port)
    except OSError as error:
        raise CommandError(f"cannot listen on {host} port {port}: {error.strerror}") from None
    with listener, open_database(settings) as database:
        serve(settings.model_copy(update={"database_url": database.url}), listener)
    return 0
