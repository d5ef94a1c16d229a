"""Names of settings that do not exist: a misspelt limit must not be taken for no limit."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

PREFIXES: Final = ("MAILRUN_", "LETTRLABS_")
# The first is for the part after a prefix of ours, the second for a whole name that another program may own.
_OWN_LIKENESS: Final = 0.5
_FOREIGN_LIKENESS: Final = 0.85


def unknown_names(known: Sequence[str], env_files: Iterable[Path]) -> Iterator[str]:
    """Yield one line for each variable that looks like a setting and is none, with the nearest setting."""
    ours = [name for name in known if name.startswith(PREFIXES)]
    told = set()
    for name in _set_names(os.environ):
        if name not in known and (name.startswith(PREFIXES) or _nearest(name, ours)):
            told.add(name)
            yield _line(name, ours, place="")
    for file in filter(Path.is_file, env_files):
        for name in _set_names(dotenv_values(file, encoding="utf-8")):
            if name not in {*known, *told} and (name.startswith(PREFIXES) or _nearest(name, known)):
                yield _line(name, known, place=f" in {file}")


def _set_names(variables: Mapping[str, str | None]) -> list[str]:
    """Return the names that have a value: an empty variable means the same as none."""
    return sorted(name.upper() for name, value in variables.items() if value)


def _line(name: str, known: Sequence[str], place: str) -> str:
    nearest = _nearest(name, known)
    advice = f"did you mean {nearest}?" if nearest else ".env.example lists the settings"
    return f"{name}{place}: there is no such setting; {advice}"


def _nearest(name: str, known: Sequence[str]) -> str | None:
    prefix = next((one for one in PREFIXES if name.startswith(one)), "")
    # Nearly all settings share the prefix, which would make any two of them look alike.
    bare = {one.removeprefix(prefix): one for one in known if one.startswith(prefix)}
    likeness = _OWN_LIKENESS if prefix else _FOREIGN_LIKENESS
    found = get_close_matches(name.removeprefix(prefix), bare, n=1, cutoff=likeness)
    return bare[found[0]] if found else None
