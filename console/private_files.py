"""Files with personal data: whole or not at all, and for their owner alone."""

import os
import tempfile
from pathlib import Path

from console.errors import CommandError


def save_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, in one piece; raises Complaint if that is not possible."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error
