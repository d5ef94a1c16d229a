"""Which encoding a table's bytes are in, and whether they are text at all."""

import codecs
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import BinaryIO, Final

from intake.csv.legacy_encodings import ACCENTED_WORD, another_encoding, is_implausible, likeliest
from intake.errors import ErrorCode, TableError

_CHUNK_BYTES: Final = 1 << 20
_SAMPLE_WORDS: Final = 2000
_MOST_CONTROLS: Final = 0.01
"""A text has hardly any control characters; in random bytes every tenth is one."""

_MARKS_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MOST_NUL_IN_THE_OTHER_HALF: Final = 0.05
_LEAST_NUL: Final = 0.6

_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1a"))

_KNOWN_BINARIES: Final = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls) or one with a password",
    b"%PDF-": "a PDF",
    b"\x1f\x8b": "a gzip archive",
    b"{\\rtf": "a rich text document",
    b"SQLite format 3": "a database",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"<!DOCTYPE html": "a web page",
    b"<html": "a web page",
    b"BEGIN:VCARD": "a vCard file",
}


@dataclass(frozen=True, slots=True)
class DetectedEncoding:
    """What one pass over the bytes found: their encoding, a Python codec's name, and their SHA-256."""

    encoding: str
    sha256: bytes


def survey(file: BinaryIO, name: str) -> DetectedEncoding:
    """Read a seekable file once, from its start, in bounded memory.

    Raises TableError when the file is empty, is not text, or mixes two encodings.
    """
    file.seek(0)
    start = file.read(_CHUNK_BYTES)
    _refuse_other_kinds(start, name)
    encoding = _encoding_by_mark(start)
    content = sha256()
    decoder = codecs.getincrementaldecoder(encoding)()
    broken_line, line = 0, 1
    file.seek(0)
    for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""):
        content.update(chunk)
        if not broken_line:
            broken_line = _first_broken_line(decoder, chunk, line)
        if not encoding.startswith("utf-16") and b"\0" in chunk:
            raise _not_text(name, line + chunk.count(b"\n", 0, chunk.index(b"\0")))
        line += chunk.count(b"\n")
    if not broken_line and _is_cut_short(decoder):
        broken_line = line
    if broken_line:
        encoding = _legacy_encoding(file, name, encoding, broken_line)
    return DetectedEncoding(encoding, content.digest())


def _refuse_other_kinds(start: bytes, name: str) -> None:
    if not start.strip():
        raise TableError(
            ErrorCode.EMPTY_FILE, f"{name} is empty: save the list as CSV again and send that file."
        )
    for magic, kind in _KNOWN_BINARIES.items():
        if start.startswith(magic):
            raise TableError(
                ErrorCode.NOT_TEXT,
                f"{name} is {kind}, not a list: open it and save the list as CSV UTF-8 or as .xlsx.",
            )
    if _encoding_by_mark(start).startswith("utf-16"):
        return
    if len(start) - len(start.translate(None, _CONTROLS)) > _MOST_CONTROLS * len(start):
        first = next(at for at, byte in enumerate(start) if byte in _CONTROLS)
        raise _not_text(name, 1 + start.count(b"\n", 0, first))


def _not_text(name: str, line: int) -> TableError:
    return TableError(
        ErrorCode.NOT_TEXT,
        f"{name}, line {line}: this is not text but binary data: save the list as CSV UTF-8 and send that file.",
    )


def _encoding_by_mark(start: bytes) -> str:
    if start.startswith(_MARKS_UTF16):
        return "utf-16"
    return _utf16_without_mark(start) or "utf-8-sig"


def _utf16_without_mark(start: bytes) -> str | None:
    """Return UTF-16 with the order of its bytes, if every second byte is mostly zero and the others are not."""
    pairs = start[: len(start) // 2 * 2]
    first, second = (pairs[at::2].count(0) * 2 for at in (0, 1))
    for zero, other, encoding in ((second, first, "utf-16-le"), (first, second, "utf-16-be")):
        if zero > _LEAST_NUL * len(pairs) and other <= _MOST_NUL_IN_THE_OTHER_HALF * len(pairs):
            return encoding
    return None


def _first_broken_line(decoder: codecs.IncrementalDecoder, chunk: bytes, line: int) -> int:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError as error:
        return line + chunk.count(b"\n", 0, error.start)
    return 0


def _is_cut_short(decoder: codecs.IncrementalDecoder) -> bool:
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return True
    return False


def _legacy_encoding(file: BinaryIO, name: str, encoding: str, broken_line: int) -> str:
    words = list(islice(_accented_words(file), _SAMPLE_WORDS))
    file.seek(0)
    marked = encoding.startswith("utf-16") or file.read(3) == codecs.BOM_UTF8
    if marked or 2 * sum(map(_is_utf8, words)) > len(words):
        raise TableError(
            ErrorCode.MIXED_ENCODINGS,
            f"{name}, line {broken_line}: this line is in another encoding than the rest of the file: "
            "save the whole list as CSV UTF-8.",
        )
    encoding = likeliest(words)
    _require_plausible(file, name, encoding)
    return encoding


def _require_plausible(file: BinaryIO, name: str, encoding: str) -> None:
    """Raise TableError at the first line whose words make no sense in the likeliest encoding."""
    file.seek(0)
    words: Counter[bytes] = Counter()
    for number, line in enumerate(_lines(file), 1):
        if line.isascii():
            continue
        found = ACCENTED_WORD.findall(line)
        if any(is_implausible(word, encoding) for word in found):
            raise _wrong_encoding(name, number)
        words.update(found[: _SAMPLE_WORDS - words.total()])
    other = another_encoding(words.elements(), encoding)
    if other:
        file.seek(0)
        odd = next(
            number for number, line in enumerate(_lines(file), 1) if other in ACCENTED_WORD.findall(line)
        )
        raise _wrong_encoding(name, odd)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    yield from iter(lambda: file.readline(_CHUNK_BYTES), b"")


def _wrong_encoding(name: str, line: int) -> TableError:
    return TableError(
        ErrorCode.WRONG_ENCODING,
        f"{name}, line {line}: the letters of this line are in an encoding that Mailrun does not know: "
        "save the list as CSV UTF-8.",
    )


def _accented_words(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""):
        yield from ACCENTED_WORD.findall(chunk)


def _is_utf8(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True
