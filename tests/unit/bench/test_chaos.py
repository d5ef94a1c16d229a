"""The chaos run in small: the long one is `make chaos`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.chaos
def test_mailrun_keeps_its_promises_in_a_storm_of_a_minute() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "bench.chaos", "--quick", "--longest", "150"],
        cwd=ROOT,
        env=os.environ,
        check=False,
        capture_output=True,
        text=True,
        timeout=280,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "Promises broken: none" in run.stdout
