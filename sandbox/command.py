"""The command line: `python -m sandbox`, which `mailrun sandbox` also runs."""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from sandbox import DEFAULT_KEY
from sandbox.event_log import StateUnusableError
from sandbox.http.server import listen, serve
from sandbox.persisted_state import Books

_DEFAULT_PORT = 8790


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox until it is told to stop; returns the exit code, 1 if it could not start.

    Prints one line on stdout when ready, one on stderr when it cannot. Raises SystemExit 2 for wrong
    arguments.
    """
    options = _parser().parse_args(arguments)
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        return _complain(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}")
    try:
        books = Books(options.state)
    except StateUnusableError as error:
        return _complain(str(error))
    if options.speed is not None:
        books.move_clock(speed=options.speed)
    asked = {"settle_seconds": options.settle_seconds, "seed": options.seed}
    changes = {name: value for name, value in asked.items() if value is not None}
    if changes:
        books.change_settings(books.world.settings.model_copy(update=changes))
    serve(books, options.api_key, listener)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="sandbox", description="A LettrLabs of your own. See docs/sandbox.md.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=_DEFAULT_PORT, help="0 takes a free one (%(default)s)")
    parser.add_argument(
        "--state", type=Path, default=Path(".mailrun/sandbox"), metavar="DIR", help="where it remembers"
    )
    parser.add_argument("--api-key", default=DEFAULT_KEY, help="the key that works (%(default)s)")
    parser.add_argument("--speed", type=_positive, metavar="N", help="sandbox seconds in a real one")
    parser.add_argument(
        "--settle-seconds", type=_not_negative, metavar="S", help="sandbox seconds from checkout to payment"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="what the chances of faults are drawn from")
    return parser


def _complain(message: str) -> int:
    sys.stderr.write(f"sandbox: {message}\n")
    return 1


def _port(given: str) -> int:
    port = int(given)
    if not 0 <= port <= 65535:  # noqa: PLR2004 - the largest port number there is
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _not_negative(given: str) -> float:
    number = float(given)
    if not math.isfinite(number) or number < 0:
        raise argparse.ArgumentTypeError("expected a number of at least 0")
    return number


def _positive(given: str) -> float:
    number = _not_negative(given)
    if number == 0:
        raise argparse.ArgumentTypeError("expected a number above 0")
    return number
