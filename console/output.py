"""What a command prints: results on stdout, everything about the doing on stderr, JSON on request."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Final

from rich.console import Console, RenderableType

# Into a file or a pipe nothing is wrapped before this.
PIPE_WIDTH: Final = 160


@cache
def stdout_console() -> Console:
    """Return the console for what was asked for."""
    return _console(stderr=False)


@cache
def stderr_console() -> Console:
    """Return the console for everything else."""
    return _console(stderr=True)


def print_result(*renderables: RenderableType) -> None:
    """Print results. Text is printed as it is: a name may hold brackets."""
    for renderable in renderables:
        stdout_console().print(printable(renderable) if isinstance(renderable, str) else renderable)


def show_lines(*lines: str) -> None:
    """Print results that may be copied: a line longer than the terminal stays one line."""
    for line in lines:
        stdout_console().print(printable(line), soft_wrap=True)


def print_note(line: str) -> None:
    """Print one line beside the results."""
    stderr_console().print(printable(line), soft_wrap=True)


def show_json(vendor: str, **members: object) -> None:
    """Print one JSON object: the vendor first, money as text, times in UTC as ISO 8601."""
    text = json.dumps({"vendor": vendor, **members}, default=plain, indent=2)
    sys.stdout.write(text + "\n")


def printable(text: str) -> str:
    """Return a text without the characters that would steer a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    # A person who sets COLUMNS wants that width in a pipe as well.
    width = None if stream.isatty() or os.environ.get("COLUMNS") else PIPE_WIDTH
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


def plain(value: object) -> object:
    """Return a value as JSON knows it; raises TypeError for what has no place in it."""
    match value:
        case Decimal():
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Mapping():
            return dict(value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no place in JSON")
