"""Who does the work on this machine: the command lines of sandbox, workers and beat."""

import socket
import sys
from typing import Final

from console.program import Program
from worker.settings import Settings

# Longer than the longest call to LettrLabs: a worker told to end writes down the answer it waits for.
WORKER_STOP_SECONDS: Final = 75.0
# Beat and sandbox have nothing to finish.
STOP_SECONDS: Final = 10.0


def workers(settings: Settings, count: int) -> list[Program]:
    """Return `count` Celery workers; threads within each wait for LettrLabs, processes share the computing."""
    command = _python("celery", "-A", "worker", "worker")
    return [
        Program(
            name=f"worker-{number}",
            command=(*command, "--hostname", f"worker-{number}@%h"),
            environment=settings.environment(),
            directory=settings.data_dir,
            stop_seconds=WORKER_STOP_SECONDS,
        )
        for number in range(1, count + 1)
    ]


def beat(settings: Settings) -> Program:
    """Return the beat, which looks for mailings that are due."""
    return Program(
        name="beat",
        command=_python("celery", "-A", "worker", "beat"),
        environment=settings.environment(),
        directory=settings.data_dir,
        stop_seconds=STOP_SECONDS,
    )


def sandbox(settings: Settings, port: int) -> Program:
    """Return a LettrLabs of one's own, which keeps its ledger in the data directory."""
    state = str(settings.data_dir / "sandbox")
    return Program(
        name="sandbox",
        command=_python("sandbox", "--port", str(port), "--state", state),
        environment={},
        directory=settings.data_dir,
        stop_seconds=STOP_SECONDS,
        ready_words="sandbox ready on ",
    )


def free_port() -> int:
    """Return a port that was free just now; a sandbox that is started again must keep its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)
