"""The normal form of one delivery line that has a unit, a box or a route, or words that look like one.

The line comes in short forms, word by word (`intake.recipients.street_abbreviations`). A value keeps its
boundaries between numbers:
`1-12` and `11-2` are two homes. A letter beside a number has none: `4-B`, `4 B` and `4B` are one.
"""

from collections.abc import Sequence
from typing import Final

from intake.recipients.street_abbreviations import (
    BARE_UNITS,
    DIRECTIONS,
    NAMED_UNITS,
    NUMBERS,
    PHRASES,
    SUFFIXES,
    UNIT_KINDS,
)

_BOX_WORDS: Final = frozenset({"#box", "#drawer", "#pob"})
_NUMBER_SIGNS: Final = frozenset({"#", "#no"})
_WORD_OF: Final = {"#": "unit"}

Unit = tuple[str, str]


def delivery_line(line: str) -> str:
    """Return the normal form of a line that has a word beginning with #."""
    before, _, after = line.partition(" # ")
    if "#" not in before and after[:1].isdigit() and after.isalnum() and before.count(" ") > 1:
        return f"{before}#{_number(after)}"  # most lines with a unit are such
    words = _with_phrases(line.split())
    while len(words) > 1 and words[0] in _NUMBER_SIGNS and words[1] in UNIT_KINDS | _BOX_WORDS:
        words = words[1:]  # a sign before another word says nothing
    box, words = _box(words)
    route, words = ("", words) if box else _route(words)
    street, units = _street_and_units(words, has_street=bool(box or route))
    parts = [part for part in (box, route, " ".join(street)) if part]
    return " ".join(parts) + "".join(f"{kind}{value}" for kind, value in _in_order(units))


def _with_phrases(words: list[str]) -> list[str]:
    """Return words in which the few stand for the several that mean the same, until none is left."""
    at = 0
    while at < len(words):
        for rest, short in PHRASES.get(words[at], ()):
            if words[at + 1 : at + 1 + len(rest)] == rest:
                words = [*words[:at], *short.split(), *words[at + 1 + len(rest) :]]
                at = -1
                break
        at += 1
    return words


def _box(words: list[str]) -> tuple[str, list[str]]:
    """Return a line's post office box, and what follows it."""
    at = 1 if words[0] in _BOX_WORDS else 0
    if words[0] == "#po" and len(words) > 1:
        at = 1
    at = _past_signs(words, at) if at else 0
    if not at or at >= len(words) or not _is_value(words[at]):
        return "", words
    value, rest = _first_value(words[at:])
    return f"po box {value}", rest


def _route(words: list[str]) -> tuple[str, list[str]]:
    """Return a line's rural or highway contract route with its box, and what follows it."""
    kind = words[0].removeprefix("#") if words[0] in {"#rr", "#hc"} else ""
    if not kind and words[0] in {"rte", "rd"} and "#box" in words[2:4]:
        kind = "rr"
    if not kind:
        return "", words
    number, rest = "", words[1:]
    at = _past_signs(words, 1)
    if at < len(words) and _is_value(words[at]):
        number, rest = _first_value(words[at:])
    route = f"{kind} {number}".rstrip()
    if rest and rest[0] in {"#", "#no", "#box"}:
        at = _past_signs(rest, 1)
        if at < len(rest) and _is_value(rest[at]):
            value, rest = _first_value(rest[at:])
            return f"{route} box {value}", rest
    return route, rest


def _street_and_units(words: list[str], *, has_street: bool) -> tuple[list[str], list[Unit]]:
    street: list[str] = []
    units: list[Unit] = []
    at = 0
    while at < len(words):
        kind = words[at]
        if kind in UNIT_KINDS:
            value, after = _unit_value(words, at, street, has_street=has_street)
            if value is not None:
                units.append((_kind(kind), value))
                at = after
                continue
        street.append(_WORD_OF.get(kind, kind.removeprefix("#")))
        at += 1
    return _as_street(street, units)


def _unit_value(words: list[str], at: int, street: list[str], *, has_street: bool) -> tuple[str | None, int]:
    """Return the value of the unit at a place and the place after it; None if the word is no unit there."""
    kind, first = words[at], _past_signs(words, at + 1)
    named = has_street or len(street) > 1
    end = next((place for place in range(first, len(words)) if words[place] in UNIT_KINDS), len(words))
    value = words[first:end]
    if not value:
        return _without_value(kind, street, named=named), first
    if not _may_be_value(kind, value, named=named):
        bare = kind in BARE_UNITS and named and value[0] not in SUFFIXES
        return ("" if bare else None), first
    if named:
        return _joined(value), end
    return _before_street(value, street, first)


def _without_value(kind: str, street: list[str], *, named: bool) -> str | None:
    """Return the value of a unit that none follows: a floor's number before it, or "" if it needs none."""
    if kind == "#fl" and len(street) > 2 and street[-1].isdigit():  # noqa: PLR2004 - house, name and floor
        return _number(street.pop())
    return "" if kind == "#" or (kind in BARE_UNITS and named) else None


def _before_street(value: list[str], street: list[str], first: int) -> tuple[str | None, int]:
    """Return a unit's value and the place after it where the street's name is still to come.

    Where the line begins with a unit, a house number must follow it.
    """
    if street:
        return _number(value[0]), first + 1
    if not any(word[0].isdigit() for word in value[1:]):
        return None, first
    taken = 2 if len(value[1]) == 1 and value[1].isalpha() else 1
    return _joined(value[:taken]), first + taken


def _may_be_value(kind: str, value: list[str], *, named: bool) -> bool:
    if len(value) > 1 and value[1] in SUFFIXES and value[1] not in DIRECTIONS:
        return False
    if _is_value(value[0]):
        return True
    return kind in NAMED_UNITS and named and value[0] not in SUFFIXES


def _as_street(street: list[str], units: list[Unit]) -> tuple[list[str], list[Unit]]:
    """Return a street without what its house number needs no more, and its units."""
    if street and street[0] in {"unit", "no"} and len(street) > 1 and _is_value(street[1]):
        street = street[1:]
    if len(street) > 2 and street[1] == "no":  # noqa: PLR2004 - house number, No. and a name
        street[1] = "n"
    return street, units


def _kind(word: str) -> str:
    return "#" if word == "#no" else word if word == "#" else f"{word} "


def _in_order(units: list[Unit]) -> list[Unit]:
    """Return units in an order that does not depend on how they were written; one without a value says nothing."""
    told = [(kind, value) for kind, value in units if value or kind != "#"]
    return [
        (kind if value else kind.rstrip(), value) for kind, value in sorted(told, key=lambda unit: unit[0])
    ]


def _first_value(words: list[str]) -> tuple[str, list[str]]:
    """Return the value that words begin with, a letter of its own included, and the words after it."""
    taken = 2 if len(words) > 1 and len(words[1]) == 1 and words[1].isalpha() else 1
    return _joined(words[:taken]), words[taken:]


def _past_signs(words: Sequence[str], at: int) -> int:
    while at < len(words) and words[at] in _NUMBER_SIGNS:
        at += 1
    return at


def _is_value(word: str) -> bool:
    return (len(word) == 1 and word.isalnum()) or any(map(str.isdigit, word))


def _joined(words: Sequence[str]) -> str:
    """Return words as one value, with a boundary only where two numbers or two words would run together."""
    value = ""
    if len(words) == 1 and words[0] in NUMBERS:
        return str(NUMBERS[words[0]])
    for word in map(_number, words):
        if value and value[-1].isdigit() and word[0].isdigit():
            value += "-"
        elif value and value[-1].isalpha() and word[0].isalpha():
            value += " "
        value += word
    return value


def _number(word: str) -> str:
    return word.lstrip("0") or "0" if word.isdigit() else word
