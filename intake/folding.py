"""The normal forms of names and street lines, many at once: to compare people and addresses by, never to print.

A list of a million is folded column by column: what is done to the text of a whole column costs half of what it
costs line by line. One line is a column of one. Which spelling stands for which is told by `intake.publication28`.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final

from intake.publication28 import PHRASES, SHORT

# P.O. is PO and O'Brien is OBrien, but Smith-Jones is Smith Jones. By number, every ASCII character: in a table with
# gaps each letter would cost an exception.
_SPECIAL: Final[dict[str, str | None]] = {
    **dict.fromkeys('!"$%&()*+,-/:;<=>?@[\\]^_{|}~\t\v\f\r\x1c\x1d\x1e\x1f', " "),
    **dict.fromkeys(".'`"),
}
_PUNCTUATION: Final = tuple(_SPECIAL.get(letter, letter) for letter in map(chr, range(128)))
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc"))
_PADDED_PHRASES: Final = tuple((f" {phrase} ", f" {short} ") for phrase, short in PHRASES)


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
    words = _words(lines)
    text = f" {' '.join(map(SHORT.get, words, words))} "
    for phrase, short in _PADDED_PHRASES:
        # More than once, for two that follow each other share the space between them.
        while phrase in text:
            text = text.replace(phrase, short)
    return [_with_unit(line) if "#" in line else line for line in _lines(text)]


def _words(lines: Sequence[str]) -> list[str]:
    """Return the words of all lines in a row, with a line break as a word of its own between two lines."""
    plain = [line if line.isascii() else _without_accents(line) for line in lines]
    text = "\n".join(plain)
    if text.count("\n") >= len(plain):
        text = "\n".join([line.replace("\n", " ") for line in plain])
    text = text.casefold().translate(_PUNCTUATION)
    return list(filter(None, text.replace("#", " # ").replace("\n", " \n ").split(" ")))


def _lines(text: str) -> list[str]:
    return text.replace(" \n", "\n").replace("\n ", "\n").strip(" ").split("\n")


def _without_accents(text: str) -> str:
    split = unicodedata.normalize("NFKD", text).translate(_APOSTROPHES)
    return "".join(
        letter if letter.isascii() or letter.isalnum() else " "
        for letter in split
        if not unicodedata.combining(letter)
    )


def _with_unit(line: str) -> str:
    street, _, number = line.partition("#")
    return f"{street}#{number.replace('#', '').replace(' ', '')}"
