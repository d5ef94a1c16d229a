"""Who does the work on this machine: the command lines of sandbox, workers, beat and web."""

import socket
import sys
from typing import Final

from console.local.process import ProcessSpec
from worker.settings import Settings

# Longer than the longest call to LettrLabs: a worker told to end writes down the answer it waits for.
WORKER_STOP_SECONDS: Final = 75.0
# Beat and sandbox have nothing to finish.
STOP_SECONDS: Final = 10.0
# As long as an answer under way may take to end.
WEB_STOP_SECONDS: Final = 15.0
WEB_PORT: Final = 8780


def workers(settings: Settings, count: int) -> list[ProcessSpec]:
    """Return `count` Celery workers; threads within each wait for LettrLabs, processes share the computing."""
    command = _python("celery", "-A", "worker", "worker")
    return [
        ProcessSpec(
            name=f"worker-{number}",
            command=(*command, "--hostname", f"worker-{number}@%h"),
            environment=_environment(settings),
            directory=settings.data_dir,
            stop_seconds=WORKER_STOP_SECONDS,
        )
        for number in range(1, count + 1)
    ]


def beat(settings: Settings) -> ProcessSpec:
    """Return the beat, which looks for mailings that are due."""
    return ProcessSpec(
        name="beat",
        command=_python("celery", "-A", "worker", "beat"),
        environment=_environment(settings),
        directory=settings.data_dir,
        stop_seconds=STOP_SECONDS,
    )


def sandbox(settings: Settings, port: int) -> ProcessSpec:
    """Return the sandbox, which keeps its ledger in the data directory and needs none of the settings."""
    state = str(settings.data_dir / "sandbox")
    return ProcessSpec(
        name="sandbox",
        command=_python("sandbox", "--port", str(port), "--state", state),
        environment={},
        is_trusted=False,
        directory=settings.data_dir,
        stop_seconds=STOP_SECONDS,
        ready_words="sandbox ready on ",
    )


def web(settings: Settings, port: int) -> ProcessSpec:
    """Return the process that answers HTTP."""
    return ProcessSpec(
        name="web",
        command=_python("console", "web", "--port", str(port)),
        environment=_environment(settings),
        directory=settings.data_dir,
        stop_seconds=WEB_STOP_SECONDS,
    )


def free_port(wished: int = 0) -> int:
    """Return the wished port, or else one that was free just now; who is started again must keep its address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wished))
        except OSError:
            return free_port()
        return int(probe.getsockname()[1])


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


def _environment(settings: Settings) -> dict[str, str]:
    """Return the settings of a program that reads and writes rows: the role that changes tables is not for it."""
    return {**settings.environment(), "MIGRATION_DATABASE_URL": ""}
