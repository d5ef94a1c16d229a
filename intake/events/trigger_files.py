"""The file that declares the triggers: checked whole, loaded whole, and each trigger under a version of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from intake.errors import ErrorCode, IntakeError
from intake.events.config_files import DocumentError, parse
from intake.events.triggers import ActiveTrigger, TriggerDefinition
from intake.suppression.lists import require_lists
from models import Budget, BudgetScope, Trigger, TriggerVersion

_LARGEST_FILE: Final = 1_000_000
_MOST_PROBLEMS: Final = 20
_LONGEST_STEP: Final = 60
# Two loads at once would give two declarations one version. Any number will do; this is "trigger" in ASCII.
_LOADING: Final = 0x74726967676572


class TriggersError(IntakeError):
    """The file cannot be used. The message has a line for each thing that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        left = len(problems) - _MOST_PROBLEMS
        more = [f"and {left} more"] if left > 0 else []
        lines = [_printable(line) for line in [*problems[:_MOST_PROBLEMS], *more]]
        super().__init__(ErrorCode.BAD_TRIGGERS, "\n".join(lines))


def _printable(line: str) -> str:
    """Return a line that a terminal shows as it is, whatever the file that it quotes holds."""
    return "".join(one if one.isprintable() else "\ufffd" for one in line)


def read_triggers(path: Path) -> tuple[TriggerDefinition, ...]:
    """Return what a file declares; raises TriggersError, naming everything that is wrong in it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TriggersError([f"{path} cannot be read: {error.strerror}."]) from None
    if len(content) > _LARGEST_FILE:
        raise TriggersError([f"{path.name} is larger than a megabyte: is it the right file?"])
    try:
        return declared(parse(content.decode(), path.name), path.name)
    except UnicodeDecodeError:
        raise TriggersError([f"{path.name} is not UTF-8 text."]) from None
    except DocumentError as error:
        raise TriggersError([f"{path.name} {error}"]) from None


def declared(document: dict[str, Any], name: str) -> tuple[TriggerDefinition, ...]:
    """Return what a document declares; raises TriggersError."""
    strange = [key for key in document if key != "trigger"]
    tables = document.get("trigger")
    if strange or not isinstance(tables, list) or not tables:
        what = f'has a part "{strange[0][:40]}"' if strange else "declares no trigger"
        raise TriggersError([f"{name} {what}: it is made of [[trigger]] tables."])
    found: list[TriggerDefinition] = []
    problems: list[str] = []
    for number, table in enumerate(tables, 1):
        try:
            found.append(TriggerDefinition.model_validate(table))
        except ValidationError as error:
            problems += _problems(error, _called(table, number))
    names = [one.name for one in found]
    problems += [
        f"trigger {one}: there are two of this name"
        for one in sorted({n for n in names if names.count(n) > 1})
    ]
    if problems:
        raise TriggersError(problems)
    return tuple(found)


def _called(table: object, number: int) -> str:
    name = table.get("name") if isinstance(table, dict) else None
    return f"trigger {name[:60]}" if isinstance(name, str) and name.isprintable() else f"trigger {number}"


def _problems(error: ValidationError, trigger: str) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        # Of a value that may be one of several kinds pydantic names the kind; a reader of the file does not care.
        steps = [_legible(step) for step in problem["loc"] if not _is_kind(step)]
        reason = problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        reason = reason.replace("Extra inputs are not permitted", "is not known here")
        line = f"{trigger}: {'.'.join(steps)}: {reason}" if steps else f"{trigger}: {reason}"
        if line not in lines:
            lines.append(line)
    return lines


def _legible(step: str | int) -> str:
    text = str(step)
    return text[:_LONGEST_STEP] if text.isprintable() else "(unprintable)"


def _is_kind(step: str | int) -> bool:
    return isinstance(step, str) and (
        step in {"LiteralText", "ApprovalThreshold", "str", "date", "int", "float", "bool"} or "[" in step
    )


class Change(StrEnum):
    """What loading did to one trigger."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Loaded:
    """One trigger after loading."""

    name: str
    version: int
    change: Change


def load(
    connection: Connection, declarations: Iterable[TriggerDefinition], who: str, now: datetime
) -> list[Loaded]:
    """Put the declared triggers in force and retire every other; one that is declared as before keeps its version.

    Events that were answered keep the version that answered them. A budget that is declared is set; one that is
    not is left as it is. Raises IntakeError if a suppression list is named that there is not.
    """
    declarations = tuple(declarations)
    require_lists(connection, {name for one in declarations for name in one.suppress})
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOADING})
    loaded = [_put_in_force(connection, one, who, now) for one in declarations]
    gone = connection.execute(
        update(Trigger)
        .where(Trigger.name.not_in([one.name for one in loaded]), Trigger.retired_at.is_(None))
        .values(retired_at=now)
        .returning(Trigger.name, Trigger.version)
    )
    return [*loaded, *(Loaded(row.name, row.version, Change.RETIRED) for row in gone)]


def _put_in_force(connection: Connection, declared: TriggerDefinition, who: str, now: datetime) -> Loaded:
    there = connection.execute(
        select(Trigger.id, Trigger.version, Trigger.retired_at, TriggerVersion.declaration)
        .join(
            TriggerVersion,
            (TriggerVersion.trigger_id == Trigger.id) & (TriggerVersion.version == Trigger.version),
        )
        .where(Trigger.name == declared.name)
    ).one_or_none()
    told = declared.told()
    if there is None:
        number, version, change = _new(connection, declared.name), 1, Change.NEW
    elif there.declaration == told and there.retired_at is None:
        return Loaded(declared.name, there.version, Change.UNCHANGED)
    else:
        number, version, change = there.id, there.version + 1, Change.CHANGED
    connection.execute(
        insert(TriggerVersion).values(
            trigger_id=number, version=version, declaration=told, loaded_by=who, loaded_at=now
        )
    )
    connection.execute(update(Trigger).where(Trigger.id == number).values(version=version, retired_at=None))
    _set_budget(connection, number, declared, who, now)
    return Loaded(declared.name, version, change)


def _new(connection: Connection, name: str) -> int:
    return connection.execute(insert(Trigger).values(name=name, version=1).returning(Trigger.id)).scalar_one()


def _set_budget(
    connection: Connection, number: int, declared: TriggerDefinition, who: str, now: datetime
) -> None:
    if declared.budget is None:
        return
    values: dict[str, Any] = declared.budget.model_dump() | {"set_by": who, "set_at": now}
    connection.execute(
        upsert(Budget)
        .values(purse=BudgetScope.TRIGGER, subject=number, **values)
        .on_conflict_do_update(index_elements=[Budget.purse, Budget.subject], set_=values)
    )


def in_force(connection: Connection) -> list[ActiveTrigger]:
    """Return the triggers in force, in the order of their names."""
    rows = connection.execute(
        select(Trigger.id, TriggerVersion.version, TriggerVersion.declaration)
        .join(
            TriggerVersion,
            (TriggerVersion.trigger_id == Trigger.id) & (TriggerVersion.version == Trigger.version),
        )
        .where(Trigger.retired_at.is_(None))
        .order_by(Trigger.name)
    )
    return [
        ActiveTrigger(row.id, row.version, TriggerDefinition.model_validate(row.declaration)) for row in rows
    ]


def version_of(connection: Connection, trigger_id: int, version: int) -> ActiveTrigger:
    """Return one version of a trigger, whether or not it is in force any more."""
    declaration = connection.execute(
        select(TriggerVersion.declaration).where(
            TriggerVersion.trigger_id == trigger_id, TriggerVersion.version == version
        )
    ).scalar_one()
    return ActiveTrigger(trigger_id, version, TriggerDefinition.model_validate(declaration))
