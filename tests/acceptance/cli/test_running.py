"""Running Mailrun: help, demo, doctor, exec, migrate, sandbox."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from console.local.roles import OWNER

ROOT: Final = Path(__file__).parents[3]


def test_help_answers_at_once_and_lists_the_commands() -> None:
    began = time.monotonic()
    help_text = subprocess.check_output(
        [sys.executable, "-m", "console", "--help"], cwd=ROOT, text=True, timeout=60
    )

    assert time.monotonic() - began < 2, "half a second on an idle machine"
    for command in ("up", "demo", "doctor", "campaign", "mailing", "approve", "attention"):
        assert command in help_text


def test_the_doctor_finds_nothing_beside_a_running_up(mailrun: Any) -> None:
    checks = mailrun.run("doctor", "--json").json()["checks"]

    broken = [check for check in checks if check["verdict"] == "fail"]
    assert not broken
    names = {check["name"] for check in checks}
    assert names >= {"database", "tables", "clock", "beat", "workers", "redis", "vendor", "lease"}


def test_the_doctor_says_what_is_broken_and_what_to_do(command_line: Any, sandbox: Any) -> None:
    ran = command_line.run(
        "doctor",
        REDIS_URL="redis://127.0.0.1:9/0",
        MAILRUN_LEASE_SECONDS="10",
        **sandbox.env | {"LETTRLABS_API_KEY": "LL-API-wrong"},
    )

    assert ran.code == 1
    broken = {line.split()[1]: line for line in ran.out.splitlines() if line.split()[:1] == ["fail"]}
    assert set(broken) == {"beat", "workers", "redis", "vendor", "lease"}
    assert "mend redis first" in broken["workers"]
    assert "MAILRUN_LEASE_SECONDS" in broken["lease"]


def test_migrate_makes_an_empty_database_usable(command_line: Any, postgres: Any) -> None:
    with postgres.connect() as connection:
        connection.execute(f"CREATE DATABASE {(name := f'empty_{os.getpid()}')} OWNER {OWNER}")
    url = {"DATABASE_URL": postgres.url(name), "MIGRATION_DATABASE_URL": postgres.owner_url(name)}

    migrated = command_line.run("migrate", **url)
    listed = command_line.run("campaign", "list", "--json", **url)

    assert migrated.code == 0
    assert listed.json() == {"vendor": "sandbox", "campaigns": []}
    with postgres.connect() as connection:
        connection.execute(f"DROP DATABASE {name}")


SEE = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL'].replace('+psycopg', '')); print('connected')"


def test_exec_runs_a_command_with_servers_of_its_own_and_leaves_none(
    command_line: Any, tmp_path: Path
) -> None:
    own = {"DATABASE_URL": "", "REDIS_URL": "", "MAILRUN_DATA_DIR": str(tmp_path / "data")}
    (tmp_path / "data" / "postgres").mkdir(parents=True)

    ran = command_line.run("exec", "--", sys.executable, "-c", SEE, **own)
    failed = command_line.run("exec", "--", "sh", "-c", "exit 7")
    missing = command_line.run("exec", "--", "no-such-program")

    assert ran.out == "connected\n"
    assert (ran.code, failed.code, missing.code) == (0, 7, 2)
    assert "no-such-program" in missing.complaint
    assert not (tmp_path / "data" / "postgres" / "run").exists()


def test_the_sandbox_starts_alone_with_its_own_options(command_line: Any) -> None:
    ran = command_line.run("sandbox", "--port", "70000")

    assert ran.code == 2
    assert "a port is a number" in ran.err


def test_the_demo_sends_its_sample_and_leaves_nothing_running(tmp_path: Path) -> None:
    own = {
        "MAILRUN_DATA_DIR": str(tmp_path / "data"),
        "LETTRLABS_API_KEY": "LL-API-real",
        "LETTRLABS_BASE_URL": "",
    }

    ran = subprocess.run(
        [sys.executable, "-m", "console", "demo"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **own},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert ran.returncode == 0, ran.stderr
    assert "your key is not used" in ran.stderr
    assert "SANDBOX at " in ran.stderr
    assert "243 accepted, 2 refused" in ran.stdout
    for words in ("duplicate", "Do not mail", "Postcard", "cost", "Charged", "campaign show 1"):
        assert words in ran.stdout
    proof = next(line for line in ran.stdout.splitlines() if line.startswith("Proof: "))
    assert Path(proof.partition(": ")[2]).read_bytes().startswith(b"%PDF-")
    assert not (tmp_path / "data" / "demo" / "postgres" / "run").exists()
    assert not (tmp_path / "data" / "demo" / "valkey" / "run").exists()


def test_the_doctor_compares_the_vendors_own_document_with_what_is_relied_on(mailrun: Any) -> None:
    found = mailrun.run("doctor", "--contract", "--json").json()

    assert found["calls"] > 10
    assert [one for one in found["differences"] if one["weight"] == "breaks"] == []


def test_the_templates_of_the_account_are_listed(mailrun: Any) -> None:
    listed = mailrun.run("templates", "--json").json()["templates"]

    assert {1001, 1002} <= {one["id"] for one in listed}
    assert "1001" in mailrun.run("templates").out
