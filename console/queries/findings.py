"""A finding of the doctor."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How grave a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding, and what to do about it unless all is well."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""

    @property
    def is_broken(self) -> bool:
        """Whether mail cannot go out, or not safely."""
        return self.verdict is Verdict.FAIL
