"""Questions to the person at the terminal."""

import sys
from enum import StrEnum
from typing import Final

from console.errors import InterruptedCommandError, UsageError
from console.output import printable

_CHOICES: Final = "[y]es, [l]ater, [c]ancel"


class Answer(StrEnum):
    """What a person says to a price."""

    YES = "yes"
    LATER = "later"
    CANCEL = "cancel"


# "no" to a price means that nothing is paid now. It deletes nothing.
_WORDS: Final = {
    "": Answer.LATER,
    **dict.fromkeys(("y", "yes"), Answer.YES),
    **dict.fromkeys(("l", "later", "n", "no"), Answer.LATER),
    **dict.fromkeys(("c", "cancel"), Answer.CANCEL),
}


def require_terminal(what: str, *, yes: bool) -> None:
    """Raise UsageComplaint if the person must be asked and cannot be."""
    if not (yes or sys.stdin.isatty()):
        raise UsageError(f"stdin is not a terminal: add --yes to {what} without asking")


def ask_price(question: str, later: str) -> Answer:
    """Ask whether a price is right; Enter and the end of the input mean later, and `later` says what to type then.

    Raises Interrupted with `later` on Ctrl-C.
    """
    try:
        while True:
            answer = _WORDS.get(_read(f"{question} {_CHOICES} (later): ").casefold())
            if answer is not None:
                return answer
            _write("Answer y, l or c.\n")
    except KeyboardInterrupt:
        _write("\n")
        raise InterruptedCommandError(later) from None


def _read(prompt: str) -> str:
    _write(prompt)
    line = sys.stdin.readline()
    if not line:
        _write("\n")
    return line.strip()


def _write(text: str) -> None:
    sys.stderr.write(printable(text))
    sys.stderr.flush()
