"""What is done to a cell's text before it is read, and what shows that it was damaged on its way.

Spreadsheets wrap text that looks like a number (`="02108"`, `'02108`). A wrong encoding leaves marks: text that was
encoded twice (`JosÃ©`), or a sign inside a word (`£ukasz`).
"""

import re
from typing import Final

_FORMULA: Final = re.compile(r'="([^"]*)"')
_GUARD: Final = re.compile("['\u2018\u2019](?=[\\d+#=])")
_SHEET_ERRORS: Final = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#ERROR!"}
)
INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200d\u2060-\u2064\ufeff]")
BIDIRECTIONAL: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd-\uffff\ud800-\udfff\ue000-\uf8ff]"
)

# Text in UTF-8 that was read in one of these and saved again.
_READ_AS: Final = ("cp1252", "latin-1", "mac_roman", "cp850", "cp437", "cp1250")
_LEAD_CHARACTERS: Final = frozenset("ÃÂÄÅâãÐÑÎÏÇÊËÌÍÔ√├┬─┼")
_SIGNS_IN_WORDS: Final = "£¥¢¤¦¬±¹³¯\u00b8¨¶\u00d7÷"
_SIGN_IN_A_WORD: Final = re.compile(
    rf"[{_SIGNS_IN_WORDS}](?=[^\W\d_])|(?<=[^\W\d_])[{_SIGNS_IN_WORDS}]|[ªº](?=[^\W\d_])|(?<=[^\W\d_])[¿¡]"
)
SUSPECTS: Final = _LEAD_CHARACTERS | frozenset(_SIGNS_IN_WORDS) | frozenset("ªº¿¡")
"""Without one of these, a text of printable characters shows no sign of a wrong encoding."""


def unwrapped(cell: str) -> str:
    """Return a cell without what a spreadsheet puts around text that looks like a number."""
    wrapped = _FORMULA.fullmatch(cell)
    return wrapped[1].strip() if wrapped else _GUARD.sub("", cell, count=1) if _GUARD.match(cell) else cell


def is_wrapped(cell: str) -> bool:
    """Tell whether `unwrapped` may change a cell."""
    return cell[:1] in {"=", "'", "\u2018", "\u2019"}


def is_sheet_error(cell: str) -> bool:
    """Tell whether a cell holds the error of a formula."""
    return cell in _SHEET_ERRORS


def looks_misread(text: str) -> bool:
    """Tell whether a text was read or saved in a wrong encoding."""
    if text.isascii() or SUSPECTS.isdisjoint(text):
        return False
    return _SIGN_IN_A_WORD.search(text) is not None or _is_encoded_twice(text)


def _is_encoded_twice(text: str) -> bool:
    return any(
        _reads_as_utf8(word) for word in re.findall(r"\S*[^\x00-\x7f]\S*", text.replace("\xa0", "\x00"))
    )


def _reads_as_utf8(word: str) -> bool:
    for encoding in _READ_AS:
        try:
            data = word.replace("\x00", "\xa0").encode(encoding)
            if not data.decode().isascii():
                return True
        except UnicodeError:
            continue
    return False


def has_letter(text: str) -> bool:
    """Tell whether a text holds a letter of any script."""
    return text[:1].isalpha() or any(map(str.isalpha, text))
