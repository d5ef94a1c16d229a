"""A full disk under the embedded PostgreSQL, as a small file system of its own."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from console.local.errors import ServerError
from console.local.postgres import Postgres
from console.local.services import in_use

ADVICE: Final = "is full: free some space, then start again$"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Yield a function that mounts a file system of a size; skip where this user may not."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        place = tmp_path / "disk"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "mailrun-test", str(place)]
        if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
            pytest.skip("NOT TESTED: this user may not mount a file system, so no disk can be full")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        command = ["umount", "--lazy", str(place)]
        subprocess.run(command, check=True)


def test_a_disk_without_room_for_a_database_is_named(small_disk: Callable[[str], Path]) -> None:
    server = Postgres(small_disk("24m") / "postgres")

    with (
        pytest.raises(ServerError, match=f"^PostgreSQL could not make its files: .*FATAL: .*{ADVICE}"),
        in_use(server),
    ):
        pytest.fail("started")


def test_a_disk_that_became_full_is_named_at_the_next_start(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("160m")
    server = Postgres(disk / "postgres")
    with in_use(server):
        pass
    _fill(disk / "other")

    with pytest.raises(ServerError, match=ADVICE), in_use(server):
        pytest.fail("started")

    (disk / "other").unlink()
    with in_use(server):
        assert server.answers()


def _fill(file: Path) -> None:
    """Write until the disk has no more room."""
    with file.open("wb", buffering=0) as other, suppress(OSError):
        while other.write(bytes(2**20)):
            pass
