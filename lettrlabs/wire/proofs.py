"""Proofs: a PDF as base64 text (LettrLabs, Order of operations)."""

from base64 import b64decode
from typing import Any


def pdf(payload: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    """Decode a proof.

    Raises ValueError for anything but a PDF.
    """
    if not isinstance(payload, str):
        raise ValueError("a proof is a text")  # noqa: TRY004 - an answer that is not one, as for any parser here
    document = b64decode("".join(payload.rpartition("base64,")[2].split()), validate=True)
    if not document.startswith(b"%PDF"):
        raise ValueError("the proof is not a PDF")
    return document
