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
_CENTRAL: Final = "cp1250"
_IMPLAUSIBLE: Final = -2
_MANY: Final = 3
_CENTRAL_LETTERS: Final = frozenset("ąćęłńśźżčďěňřťůőűşţăđľĺŕ")
_ACUTE: Final = frozenset("áíóúý")
_NORDIC_AND_GRAVE: Final = frozenset("øèìòù")
_LETTERS: Final = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿœšžß")
_SIGNS: Final = frozenset("\xa0©®°™•€£§½¼¾ªº·")
_NEVER_IN_A_WORD: Final = frozenset("£¥¢¤¦¬±¹³¯\u00b8¨¶\u00d7÷")
_OPENING: Final = frozenset("\u2018\u201c")
_CLOSING: Final = frozenset("\u201d\u2026")
_DASHES: Final = frozenset("\u2013\u2014")
_APOSTROPHE: Final = "\u2019"


def likeliest(words: Iterable[bytes]) -> str:
    """Return the encoding, a Python codec's name, that accented words of a text are most likely in."""
    sample = list(words)
    return max(_LEGACY, key=lambda encoding: sum(_likeness(word, encoding) for word in sample))


def is_implausible(word: bytes, encoding: str) -> bool:
    """Tell whether a word cannot be one in this encoding: two letters or more out of place, or a sign in a word."""
    text = word.decode(encoding, errors="replace")
    # What the encoding does not know is told row by row.
    if "\ufffd" in text:
        return False
    letters = set(text.lower())
    # No language has both in one word; Czech and Slovak, read as western, do.
    mixed = letters & _ACUTE and letters & _NORDIC_AND_GRAVE
    many = sum(not letter.isascii() for letter in text) >= _MANY
    return bool(mixed) or _likeness(word, encoding) <= (-1 if many else _IMPLAUSIBLE)


def another_encoding(words: Iterable[bytes], encoding: str) -> bytes | None:
    """Return a word that shows that a text is in the Windows encoding of Central Europe, which is not read here.

    Its letters are at places where western ones are as well, so that all words together must decide.
    """
    sample = list(words)
    central = {word: _likeness(word, _CENTRAL) for word in sample}
    western = {word: _likeness(word, encoding) for word in sample}
    if sum(central[word] for word in sample) <= sum(western[word] for word in sample):
        return None
    return next((word for word in sample if central[word] > western[word]), None)


def _likeness(word: bytes, encoding: str) -> int:
    """Score how much a word looks like one of a list of people: what is in its place counts for it."""
    text = word.decode(encoding, errors="replace")
    known = _LETTERS | _CENTRAL_LETTERS if encoding == _CENTRAL else _LETTERS
    return sum(_fits(text, at, known) for at, letter in enumerate(text) if not letter.isascii())


def _fits(text: str, at: int, known: frozenset[str]) -> int:
    letter, before, after = text[at], text[:at][-1:], text[at + 1 : at + 2]
    if letter in _NEVER_IN_A_WORD and (before.isalpha() or after.isalpha()):
        return -2
    if letter in _SIGNS:
        return 0
    if letter in _OPENING | _CLOSING | _DASHES or letter == _APOSTROPHE:
        return _mark_fits(letter, before, after)
    if letter.lower() not in known or (_is_foreign(before) and _is_foreign(after)):
        return -2
    return _letter_fits(text, at) if before.isalpha() or after.isalpha() else -1


def _letter_fits(text: str, at: int) -> int:
    letter, before, after = text[at], text[:at][-1:], text[at + 1 : at + 2]
    if letter.isupper():
        return 1 if text.isupper() or (not before.isalpha() and after.islower()) else -1
    if not before:
        return 0  # a name begins with a capital
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


def _is_foreign(letter: str) -> bool:
    return letter.isalpha() and not letter.isascii()
