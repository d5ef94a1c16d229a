"""What the proofs stand on: a rig of one worker's desk, a database and a sandbox that can be emptied."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.proof.statemachine.rig import Rig, opened


@pytest.fixture
def rig(database_url: str, programs: Any, tmp_path: Path) -> Iterator[Rig]:
    with opened(database_url, programs, tmp_path / "sandbox") as rig:
        yield rig
