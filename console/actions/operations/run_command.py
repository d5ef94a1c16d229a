"""Runs a command of the operator against the servers of this installation."""

import os
import signal
import subprocess
from collections.abc import Sequence

from console.errors import UsageError
from console.local.services import Services


def run_with(command: Sequence[str], services: Services) -> int:
    """Return the command's exit code, 128 and the signal's number if a signal ended it, as shells do.

    Raises UsageComplaint if there is no such program.
    """
    addresses = {
        "DATABASE_URL": services.database_url,
        "MIGRATION_DATABASE_URL": services.database.migration_url,
        "REDIS_URL": services.redis_url,
    }
    try:
        process = subprocess.Popen(command, env=os.environ | addresses)  # noqa: S603 - the person's own command
    except OSError as error:
        raise UsageError(f"{command[0]}: {error.strerror}") from error
    # It decides what a request to end means to it; its servers stay until it has ended. Ctrl-C reaches it by itself.
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    signal.signal(signal.SIGINT, lambda *_: None)
    code = process.wait()
    return 128 - code if code < 0 else code
