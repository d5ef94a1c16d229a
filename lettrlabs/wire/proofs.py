"""Proofs: a PDF as base64 text (LettrLabs, Order of operations)."""

import re
from base64 import b64decode
from typing import Any

_STANDARD = str.maketrans("-_", "+/")
# Readers of PDF look for the header within the first 1024 bytes (ISO 32000, implementation note 13).
_HEADER_BYTES = 1024
_HEADER = re.compile(rb"%PDF-\d")


def pdf(payload: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    """Return the PDF that a proof holds, in standard or URL-safe base64, padded or not.

    Raises ValueError for anything but a PDF.
    """
    if not isinstance(payload, str):
        raise ValueError("a proof is a text")  # noqa: TRY004 - an answer that is not one, as for any parser here
    text = "".join(payload.rpartition("base64,")[2].split()).rstrip("=").translate(_STANDARD)
    document = b64decode(text + "=" * (-len(text) % 4), validate=True)
    header = _HEADER.search(document, 0, _HEADER_BYTES)
    if header is None:
        raise ValueError("the proof is not a PDF")
    return document[header.start() :]
