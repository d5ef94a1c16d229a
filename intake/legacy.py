"""Which of the encodings before Unicode a text is in: the one in which its words look most like names.

Nothing in such a text says it. What follows is made up of what is seen in lists of people, and of where letters and
marks stand: a capital in the middle of `JosÈ`, or a small letter before the capital of `OíBrien`, is in its place in
another encoding.
"""

import re
from collections.abc import Iterable
from typing import Final

ACCENTED_WORD: Final = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")

# What Excel writes as "CSV", "CSV (Macintosh)" and "CSV (MS-DOS)"; between equals the first, which is far the most
# common. Latin-1 text is Windows-1252 text.
_LEGACY: Final = ("cp1252", "mac_roman", "cp850")
_LETTERS: Final = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿœšžß")
_SIGNS: Final = frozenset("\xa0©®°™•€£§½¼¾ªº·")
_OPENING: Final = frozenset("\u2018\u201c")
_CLOSING: Final = frozenset("\u201d\u2026")
_DASHES: Final = frozenset("\u2013\u2014")
_APOSTROPHE: Final = "\u2019"


def likeliest(words: Iterable[bytes]) -> str:
    """Return the encoding, a Python codec's name, that accented words of a text are most likely in."""
    sample = list(words)
    return max(_LEGACY, key=lambda encoding: sum(_likeness(word, encoding) for word in sample))


def _likeness(word: bytes, encoding: str) -> int:
    """Score how much a word looks like one of a list of people: what is in its place counts for it."""
    text = word.decode(encoding, errors="replace")
    return sum(_fits(text, at) for at, letter in enumerate(text) if not letter.isascii())


def _fits(text: str, at: int) -> int:
    letter, before, after = text[at], text[:at][-1:], text[at + 1 : at + 2]
    if letter in _SIGNS:
        return 0
    if letter in _OPENING | _CLOSING | _DASHES or letter == _APOSTROPHE:
        return _mark_fits(letter, before, after)
    if letter.lower() not in _LETTERS:
        return -2
    if not (before.isalpha() or after.isalpha()):
        return -1
    if letter.isupper():
        return 1 if text.isupper() or (not before.isalpha() and after.islower()) else -1
    return -1 if after.isupper() or _is_all_capitals(text[:at] + text[at + 1 :]) else 1


def _mark_fits(mark: str, before: str, after: str) -> int:
    if mark == _APOSTROPHE:  # O'Brien, James'
        return int(before.isalpha())
    if mark in _OPENING:
        return -1 if before.isalpha() else int(after.isalpha())
    if mark in _CLOSING:
        return -1 if after.isalpha() else int(before.isalpha())
    if before.isalpha() and after.isalpha():  # Smith-Jones
        return 1 if after.isupper() else -1
    return 0


def _is_all_capitals(letters: str) -> bool:
    return len(letters) > 1 and letters.isupper()
