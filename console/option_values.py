"""The options of a send, checked against what LettrLabs takes before anything else happens."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, TypeVar

from console.amounts import BudgetOptions
from console.errors import UsageError
from intake.campaigns.recent_pieces import Again
from intake.options import Options, Postage, Speed
from models import State

Word = TypeVar("Word", bound=StrEnum)
ALL: Final = "all"


def options(template: int, postage: str, speed: str, money: BudgetOptions) -> Options:
    """Return the options; raises UsageComplaint for an unknown word, IntakeError for an impossible template."""
    approval, over = money.policy()
    return Options(
        template_id=template,
        postage=_known(Postage, postage, "postage"),
        speed=_known(Speed, speed, "speed"),
        approval=approval,
        approval_over=over,
        limits=money.limits(),
    )


def require_one_chooser(postage: str | None, speed: str | None, deliver_by: str | None) -> None:
    """Raise UsageComplaint if postage or speed is named where a date to arrive by chooses them."""
    if deliver_by is not None and (postage, speed) != (None, None):
        raise UsageError("--deliver-by chooses postage and speed: leave --postage and --speed out")


def repeats_choice(given: str | None) -> Again | None:
    """Return which people of a repeated template are meant; raises UsageComplaint for an unknown word."""
    if given is None:
        return None
    if given.casefold() not in list(Again):
        raise UsageError(f'--again "{given}": must be {" or ".join(Again)}')
    return Again(given.casefold())


def state_named(word: str | None) -> State | None:
    """Return the state of a mailing that goes by this word; raises UsageComplaint if none does."""
    if word is None:
        return None
    if word.casefold() not in list(State):
        raise UsageError(f'--state "{word}": there are {", ".join(State)}')
    return State(word.casefold())


def chosen(option: str, given: Iterable[str], kind: type[Word]) -> list[Word]:
    """Return the words given for a repeatable option, every one for `all` or none.

    Raises UsageComplaint for an unknown word.
    """
    words = [word.casefold() for word in given]
    found = [_known_choice(option, word, kind) for word in words if word != ALL]
    return found if found and ALL not in words else list(kind)


def _known_choice(option: str, word: str, kind: type[Word]) -> Word:
    if word not in list(kind):
        raise UsageError(f'there is no {option} "{word}": there are {", ".join(kind)} and {ALL}')
    return kind(word)


def _known(kind: type[Word], given: str, what: str) -> Word:
    for word in kind:
        if word.casefold() == given.casefold():
            return word
    raise UsageError(f'--{what} "{given}": LettrLabs knows {", ".join(kind)}')
