"""What the proofs stand on: a rig of one worker's desk, a database and a sandbox that can be emptied."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.proof.state_machine.rig import Harness, opened


@pytest.fixture(scope="module")
def rig(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with opened(postgres, tmp_path_factory.mktemp("sandbox")) as rig:
        yield rig
