"""Runs the storm and prints the verdict; exit code 1 if Mailrun broke a promise."""

import argparse
import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import FrameType

from bench import workload
from bench.chaos import fault_schedule, faults, reported
from bench.chaos.contenders import (
    DBOS_PYTHON,
    LEASE_SECONDS,
    SETTLEMENT_WINDOW_SECONDS,
    Candidate,
    Chain,
    Mailrun,
    Workflow,
)
from bench.chaos.table import reasons, table
from bench.chaos.verdict import Books, Verdict, judge
from bench.chaos.worker import READ, TOTAL
from bench.environment import Database, Servers, open_sandbox
from bench.processes import ProcessGroup
from bench.workload import SampleMailing
from console.local.services import in_use
from console.local.valkey import Valkey
from worker.settings import Settings

FULL, QUICK = 2000, 100


@dataclass(frozen=True)
class Scene:
    """A run, set up: who takes part, on what, and what they are to send."""

    contenders: tuple[Candidate, ...]
    servers: Servers
    troop: ProcessGroup
    letters: list[SampleMailing]
    file: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _leave)
    _forget_own_settings()
    count = options.mailings or (QUICK if options.quick else FULL)
    seconds = count / options.rate
    plan = fault_schedule.quick(seconds) if options.quick else fault_schedule.full(seconds)
    began = datetime.now(UTC)
    with _scene(count, options.seed, options.keep) as scene:
        for contender in scene.contenders:
            contender.enlist(scene.troop)
            contender.sandbox.misbehave(faults.rules(options.seed))
            contender.sandbox.change(faults.manners(options.seed))
        for contender in scene.contenders:
            contender.feed(scene.troop, scene.file, options.rate)
        storming = fault_schedule.FaultSchedule(plan, scene.servers, scene.contenders, Random(options.seed))
        finish = fault_schedule.ride_out(storming, scene.troop, longest=options.longest or seconds + 1500)
        _print_heading(options, count, began, storming)
        return _print_verdicts(scene, finish)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description="See docs/chaos.md.")
    parser.add_argument("--mailings", type=int, help=f"how many ({FULL}, with --quick {QUICK})")
    parser.add_argument("--rate", type=float, default=4.0, help="mailings fed in a second (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="a storm of a minute")
    parser.add_argument("--seed", type=int, default=1, help="what the storm and the faults are drawn from")
    parser.add_argument("--longest", type=float, help="seconds after which whoever is not done has failed")
    parser.add_argument("--keep", type=Path, help="leave logs and ledgers in this directory")
    return parser


@contextmanager
def _scene(count: int, seed: int, keep: Path | None) -> Iterator[Scene]:
    directory = Path(tempfile.mkdtemp(prefix="mailrun-chaos-"))
    directory.chmod(0o711)
    try:
        servers = Servers(Database(directory / "postgres"), Valkey(directory / "valkey"))
        with in_use(servers.postgres), in_use(servers.valkey), ProcessGroup() as troop:
            kinds = (Mailrun, Chain, Workflow) if DBOS_PYTHON.exists() else (Mailrun, Chain)
            contenders = tuple(
                kind(servers, open_sandbox(troop, directory, kind.__name__.lower()), directory)
                for kind in kinds
            )
            mailings, file = workload.make(count, seed), directory / "letters.jsonl"
            workload.write(file, mailings)
            yield Scene(contenders, servers, troop, mailings, file)
    finally:
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for path in (*directory.glob("*.log"), *directory.glob("*.jsonl")):
                shutil.copy(path, keep)
        shutil.rmtree(directory)


def _print_heading(
    options: argparse.Namespace, count: int, began: datetime, storming: fault_schedule.FaultSchedule
) -> None:
    command = shlex.join(["python", "-m", "bench.chaos", *sys.argv[1:]])
    print(f"`{command}`, {began:%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, seed {options.seed}\n")
    print(
        f"{count} mailings at {options.rate:g}/s. Client bounds lowered to {READ:g} s a read, {TOTAL:g} s a call; "
        f"lease {LEASE_SECONDS:g} s, settlement window {SETTLEMENT_WINDOW_SECONDS:g} s.\n"
    )
    print(f"Manners: {faults.manners(options.seed)}\n")
    print("Blows: " + ", ".join(f"{deed}: {times}" for deed, times in sorted(storming.done.items())) + "\n")


def _print_verdicts(scene: Scene, finish: fault_schedule.RunEnd) -> int:
    verdicts: dict[str, tuple[Verdict, float | None]] = {}
    broken: list[str] = []
    notes: list[str] = []
    for contender in scene.contenders:
        contender.sandbox.behave()
        if isinstance(contender, Mailrun):
            verdict, broken, noticed = _examine(contender, scene.letters)
            notes.append(noticed)
        else:
            books = Books(contender.sandbox.ledger(), scene.letters)
            verdict = judge(books, reported.of_peer(contender.reports))
        seconds = finish.seconds(contender)
        verdicts[contender.name] = (verdict, seconds)
        notes.append(_note(contender, verdict) + ("" if seconds is not None else _left(contender)))
        if seconds is None and isinstance(contender, Mailrun):
            broken.append(f"{contender.unfinished()} mailings were not ended in time")
    print(table(verdicts) + "\n")
    print("\n".join(notes) + "\n")
    print("Promises broken: " + ("; ".join(broken) or "none"))
    return 1 if broken else 0


def _note(contender: Candidate, verdict: Verdict) -> str:
    ended = sum(worker.ended_by_itself for worker in contender.workers)
    return (
        f"- {contender.name}: {verdict.people_once:,} of {verdict.people:,} people mailed once; told a person: "
        f"{reasons(verdict)}; charged twice by the vendor's own fault: {verdict.charged_twice_by_vendor}; "
        f"workers that ended by themselves and were started again: {ended}"
    )


def _left(contender: Candidate) -> str:
    fed = "was fed" if contender.feeder is not None and contender.feeder.ended else "could not be fed"
    return f"; {fed} everything, {contender.unfinished()} left unfinished"


def _examine(mailrun: Mailrun, mailings: list[SampleMailing]) -> tuple[Verdict, list[str], str]:
    """Return Mailrun's verdict, each promise it broke, and what its sweep and its records noticed."""
    swept = mailrun.sweep_twice()
    books = Books(mailrun.sandbox.ledger(), mailings)
    engine = reported.engine_of(mailrun)
    accounts = reported.Accounts.read(engine)
    engine.dispose()
    verdict = judge(books, accounts.claims(books))
    promises = {
        "people were mailed twice": verdict.people_twice,
        "mailings were paid twice": verdict.paid_twice,
        "mailings were lost": verdict.lost,
        "people were missed without a word": verdict.people_missed,
        "mailings got another's design": verdict.wrong_design,
        "strays were left": verdict.strays,
    }
    broken = [f"{number} {promise}" for promise, number in promises.items() if number]
    broken += [f"not true: {claim}" for claim in accounts.untruths(books)]
    return verdict, broken, f"- Mailrun's two looks for strays: {swept}"


def _forget_own_settings() -> None:
    """Keep a key that spends money, and everything else of the caller's own installation, out of the run."""
    for setting in Settings.model_fields.values():
        os.environ.pop(str(setting.validation_alias), None)


def _leave(_: int, __: FrameType | None) -> None:
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main())
