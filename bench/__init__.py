"""Mailrun beside its peers, doing the same work: who gets mail once, and at what cost."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
