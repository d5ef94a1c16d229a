"""The money options of a command, checked before anything else happens."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from console.errors import UsageError
from models import Approval
from worker.billing.amounts import parse_amount
from worker.billing.budget_limits import Limits

NO_LIMIT: Final = "none"
_OVER: Final = "over:"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetOptions:
    """What `campaign send` was told about money, as it was typed."""

    approval: str | None = None
    yes: bool = False
    budget: str | None = None
    per_piece_max: str | None = None

    def policy(self) -> tuple[Approval, Decimal | None]:
        """Return who must agree, and above what; raises UsageComplaint."""
        usual = Approval.AUTO if self.yes else Approval.REQUIRED
        asked = (usual if self.approval is None else self.approval).casefold()
        if self.yes and asked != Approval.AUTO:
            raise UsageError(f"--yes sends without asking, --approval {self.approval} asks: give one of them")
        if asked.startswith(_OVER):
            return Approval.OVER, amount("--approval", asked.removeprefix(_OVER))
        if asked in {Approval.AUTO, Approval.REQUIRED}:
            return Approval(asked), None
        raise UsageError(f'--approval "{self.approval}": must be auto, required or over:AMOUNT')

    def limits(self) -> Limits:
        """Return the campaign's limits; raises UsageComplaint."""
        return Limits(
            total=amount("--budget", self.budget), per_piece=amount("--per-piece-max", self.per_piece_max)
        )


def amount(option: str, given: str | None) -> Decimal | None:
    """Return an amount of money, None if none was given; raises UsageComplaint for anything else."""
    if given is None:
        return None
    try:
        return parse_amount(given)
    except ValueError as error:
        raise UsageError(f'{option} "{given}": {error}') from None


def changed_limits(**given: str | None) -> dict[str, Decimal | None]:
    """Return the limits that were mentioned, by their columns' names; raises UsageComplaint if none was."""
    changes = {
        name: None if value.casefold() == NO_LIMIT else amount(f"--{name.replace('_', '-')}", value)
        for name, value in given.items()
        if value is not None
    }
    if not changes:
        raise UsageError("say at least one of --total, --per-day, --per-month and --per-piece")
    return changes
