"""Output streams that outlive their reader.

`mailrun ... | head` closes the pipe early. A command that has begun to change something must still finish it, and a
command that only reads has done nothing wrong: what is written after that goes to the null device.
"""

import io
import os
import sys
from typing import Final

_ENCODING_ERRORS: Final = "backslashreplace"


class PatientStream(io.TextIOWrapper):
    """A text stream that goes on with the null device when its reader has left."""

    def write(self, text: str, /) -> int:
        """Write a text, or drop it if the reader has left."""
        try:
            return super().write(text)
        except BrokenPipeError:
            self._drop()
            return len(text)

    def flush(self) -> None:
        """Flush what is buffered, or drop it if the reader has left."""
        try:
            super().flush()
        except BrokenPipeError:
            self._drop()

    def _drop(self) -> None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())
        os.close(null)


def survive_closed_pipes() -> None:
    """Replace stdout and stderr by streams that do not fail when their reader leaves."""
    sys.stdout = _patient(sys.stdout, errors=_ENCODING_ERRORS)
    sys.stderr = _patient(sys.stderr, errors=_ENCODING_ERRORS)


def _patient(stream: object, errors: str) -> PatientStream:
    if isinstance(stream, PatientStream) or not isinstance(stream, io.TextIOWrapper):
        raise TypeError("the standard streams are not the interpreter's own")
    encoding, line_buffering = stream.encoding, stream.line_buffering
    return PatientStream(stream.detach(), encoding=encoding, errors=errors, line_buffering=line_buffering)
