"""The oldest supported servers, from the operating system's packages, in place of those from wheels.

`TEST_POSTGRES_BIN` and `TEST_REDIS_SERVER` name them; `.ci/oldest` does.
"""

import os
import subprocess
from pathlib import Path
from typing import Final

from console.local.postgres import Postgres
from console.local.programs import Programs
from console.local.valkey import Valkey

POSTGRES: Final = os.environ.get("TEST_POSTGRES_BIN")
REDIS: Final = os.environ.get("TEST_REDIS_SERVER")


class PackagedPostgres(Postgres):
    """PostgreSQL as the operating system's package has it."""

    version = (
        subprocess.check_output([f"{POSTGRES}/postgres", "--version"], text=True).split()[2].split(".")[0]
        if POSTGRES
        else Postgres.version
    )
    locale = ("--locale", "C")

    def find_programs(self) -> Programs:
        root = Path(str(POSTGRES)).parent
        return Programs(root, Path("bin/postgres"), (Path("bin/initdb"),))

    def prepare(self, programs: Programs) -> None:
        # Before version 16 initdb leaves its working directory and comes back to it by its path.
        for folder in (self.directory, self.directory.parent):
            folder.chmod(0o711)
        super().prepare(programs)


class PackagedRedis(Valkey):
    """Redis as the operating system's package has it."""

    name = "Redis"

    def find_programs(self) -> Programs:
        program = Path(str(REDIS))
        return Programs(program.parent, Path(program.name), ())


postgres_kind: Final = PackagedPostgres if POSTGRES else Postgres
redis_kind: Final = PackagedRedis if REDIS else Valkey
