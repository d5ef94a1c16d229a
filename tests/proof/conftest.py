"""What the proofs stand on: a rig of one worker's desk, a database and a sandbox that can be emptied."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.proof.statemachine import vendor
from tests.proof.statemachine.rig import Rig


@pytest.fixture
def rig(
    database_url: str,
    programs: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,  # noqa: ANN401
) -> Iterator[Rig]:
    """Yield a rig; `begin` makes it new."""
    monkeypatch.setattr("worker.recipients.MAX_RECIPIENTS", 1000)
    monkeypatch.setattr("lettrlabs.calls.sleep", lambda _: None)
    program = programs.start("sandbox", sys.executable, vendor.__file__, str(tmp_path / "sandbox"), env={})
    rig = Rig(database_url, program.wait_for("sandbox ready on ").split()[-1])
    yield rig
    rig.close()
