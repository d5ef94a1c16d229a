"""The normal forms of names and street lines, many at once: to compare people and addresses by, never to print.

A list of a million is folded column by column: what is done to the text of a whole column costs half of what it
costs line by line. One line is a column of one. Which spelling stands for which is told by
`intake.recipients.street_abbreviations`.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from intake.recipients.delivery_line import delivery_line
from intake.recipients.street_abbreviations import (
    DIRECTION_PAIRS,
    NAMED_SUFFIXES,
    NUMBERED_SUFFIXES,
    NUMBERS,
    ORDINALS,
    SHORT,
    TENS,
    WRITTEN_OUT,
)

# P.O. is PO and O'Brien is OBrien, but Smith-Jones is Smith Jones. By number, every ASCII character: in a table with
# gaps each letter would cost an exception.
_SPECIAL: Final[dict[str, str | None]] = {
    **dict.fromkeys('!"$%&()*+,-/:;<=>?@[\\]^_{|}~\t\v\f\r\x1c\x1d\x1e\x1f', " "),
    **dict.fromkeys(".'`"),
}
_PUNCTUATION: Final = tuple(_SPECIAL.get(letter, letter) for letter in map(chr, range(128)))
_STREET_PUNCTUATION: Final = tuple(
    letter if letter in "-/" else _SPECIAL.get(letter, letter) for letter in map(chr, range(128))
)
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc"))
_FRACTIONS: Final = {
    **{
        number: f" {unicodedata.normalize('NFKD', chr(number))}".replace("\u2044", "/")
        for number in (*range(0xBC, 0xBF), *range(0x2150, 0x215F))
    },
    **str.maketrans({"\u2044": "/", **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-")}),
}
_PADDED_PAIRS: Final = tuple((f" {pair} ", f" {short} ") for pair, short in DIRECTION_PAIRS)


def _one_of(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


_DIRECTION: Final = "~?(?:[ns][ew]|[nsew])"
_SUFFIX: Final = _one_of(NAMED_SUFFIXES)
_ENDS: Final = r"(?= [\n\d#])"
_GLUED: Final = "apt|ste|suite|unit|bldg|fl|rm|lot|spc|trlr|pmb|box|rr|hc|pobox|pob"

# Each line of the text begins after a line break and a space, and each word ends before a space.
_FRACTION: Final = re.compile(r"(\d)[ -]+(\d{1,2}/\d{1,2})(?!\d)")
_LOOSE_SLASH: Final = re.compile(r"/(?!\d)|(?<!\d)/")
_LETTERED_HOUSE: Final = re.compile(r"\n *(\d+)-([a-z]) ")
_LOOSE_DASH: Final = re.compile(r"-(?!\d)|(?<!\d)-")
_NAMED_BY_DIRECTION: Final = re.compile(
    rf"\n (\S+ (?:{_DIRECTION} )?)({_DIRECTION})(?= (?:{_SUFFIX})(?: {_DIRECTION})?{_ENDS})"
)
_NAMED_AFTER_SUFFIX: Final = re.compile(rf"\n (\S+ (?:{_SUFFIX}) )({_DIRECTION}){_ENDS}")
_BARE_UNIT: Final = re.compile(rf"(.*[a-z] (?:{_one_of(NAMED_SUFFIXES - NUMBERED_SUFFIXES)})) (\d+[a-z]?)")
_TENS: Final = re.compile(rf" ({_one_of(TENS)}) ({_one_of(ORDINALS)})(?= )")
_HOUSE_IN_WORDS: Final = re.compile(rf"\n ({_one_of(NUMBERS)})(?= [a-z])")
_GRID: Final = re.compile(r"\n ([nsew]\d+) (?=[nsew]\d)")
_GLUED_UNIT: Final = re.compile(rf" ({_GLUED})(?=\d)")


def folded_words(text: str) -> str:
    """Return the text without case, accents and punctuation, its words one space apart."""
    return folded_lines([text])[0]


def folded_street(line: str) -> str:
    """Return the normal form of a street line: directions, suffixes, units and boxes abbreviated."""
    return folded_streets([line])[0]


def folded_lines(lines: Sequence[str]) -> list[str]:
    """Return each text without case, accents and punctuation, its words one space apart."""
    return _lines(" ".join(_words(lines)))


def folded_streets(lines: Sequence[str]) -> list[str]:
    """Return the normal form of each street line: directions, suffixes, units and boxes abbreviated."""
    words = _numbers_settled(_street_text(lines)).split(" ")
    text = _directions_settled(" ".join(map(SHORT.get, words, words)))
    return [
        delivery_line(line) if "#" in line else line if line[-2:].isalpha() else _with_unit(line)
        for line in _lines(text[1:-1])
    ]


def _street_text(lines: Sequence[str]) -> str:
    """Return the words of all lines, with a dash or slash only between two digits."""
    text = f"\n{_joined(lines)} \n".casefold().translate(_STREET_PUNCTUATION)
    if "/" in text:
        text = _LOOSE_SLASH.sub(" ", _FRACTION.sub(r"\1 \2", text))
    if "-" in text:
        text = _LOOSE_DASH.sub(" ", _LETTERED_HOUSE.sub(r"\n\1\2 ", text))
    return " ".join(_split(text))


def _numbers_settled(text: str) -> str:
    """Return a text in which each number is written in digits, and a word of its own."""
    text = _GLUED_UNIT.sub(r" \1 ", text)
    if "ty " in text:
        text = _TENS.sub(lambda match: f" {TENS[match[1]] + ORDINALS[match[2]]}", text)
    text = _HOUSE_IN_WORDS.sub(lambda match: f"\n {NUMBERS[match[1]]}", text)
    return _GRID.sub(r"\n \1", text)


def _directions_settled(text: str) -> str:
    """Return a text in which directions are short, but for those that are a street's name: these end in a mark."""
    text = _NAMED_AFTER_SUFFIX.sub(_as_name, _NAMED_BY_DIRECTION.sub(_as_name, text)).replace(" ~", " ")
    for pair, short in _PADDED_PAIRS:
        # More than once, for two that follow each other share the space between them.
        while pair in text:
            text = text.replace(pair, short)
    return text


def _as_name(match: re.Match[str]) -> str:
    return f"\n {match[1]}{WRITTEN_OUT.get(match[2], match[2])}~"


def _with_unit(line: str) -> str:
    """Return a line that ends in a number; after a street's suffix the number is a unit."""
    match = _BARE_UNIT.fullmatch(line)
    return delivery_line(f"{match[1]} # {match[2]}") if match else line


def _words(lines: Sequence[str]) -> list[str]:
    """Return the words of all lines in a row, with a line break as a word of its own between two lines."""
    return _split(_joined(lines).casefold().translate(_PUNCTUATION))


def _joined(lines: Sequence[str]) -> str:
    plain = [line if line.isascii() else _without_accents(line) for line in lines]
    text = "\n".join(plain)
    if text.count("\n") >= len(plain):
        text = "\n".join([line.replace("\n", " ") for line in plain])
    return text


def _split(text: str) -> list[str]:
    return list(filter(None, text.replace("#", " # ").replace("\n", " \n ").split(" ")))


def _lines(text: str) -> list[str]:
    return text.replace(" \n", "\n").replace("\n ", "\n").strip(" ").split("\n")


def _without_accents(text: str) -> str:
    split = unicodedata.normalize("NFKD", text.translate(_FRACTIONS)).translate(_APOSTROPHES)
    return "".join(
        letter if letter.isascii() or letter.isalnum() else " "
        for letter in split
        if not unicodedata.combining(letter)
    )
