"""The programs of an embedded server, where the user that it runs as can execute them."""

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from console.local.errors import ServerError

# Nothing cleans up `/run` by age, but some systems mount it `noexec`.
COPY_ROOTS: Final = (Path("/run"), Path("/var/tmp"), Path("/tmp"), Path("/dev/shm"))  # noqa: S108 (ownership is checked)
_READ_AND_EXECUTE: Final = stat.S_IROTH | stat.S_IXOTH


@dataclass(frozen=True)
class Programs:
    """A server's program, and what of its package the program needs beside it."""

    # The directory of installed packages; libraries are found by their place relative to the program.
    root: Path
    program: Path
    # Files and directories, relative to the root.
    needed: tuple[Path, ...]

    @property
    def command(self) -> Path:
        """The program's absolute path."""
        return self.root / self.program

    def moved(self, root: Path) -> "Programs":
        """Return the same programs below another root."""
        return Programs(root, self.program, self.needed)

    def are_open_to_all(self) -> bool:
        """Whether every user can reach and read them."""
        places = [self.root / path for path in (self.program, *self.needed)]
        above = {parent for place in places for parent in place.parents}
        readable = all(_mode(place) & _READ_AND_EXECUTE == _READ_AND_EXECUTE for place in places)
        return readable and all(_mode(folder) & stat.S_IXOTH for folder in above)


def copy_programs(programs: Programs, name: str) -> Programs:
    """Return a copy that every user can execute and only root can change.

    Raise ServerError where no directory is left that permits it.
    """
    for root in COPY_ROOTS:
        try:
            if _takes_programs(root):
                return _copy(programs, root / name)
        except OSError:
            continue  # full, read-only, or taken by another user: the next one may do
    places = ", ".join(map(str, COPY_ROOTS))
    raise ServerError(
        f"no directory of {places} takes a copy of the server's programs (20 MB, executable); make room in one, "
        "or install Mailrun where every user can read it"
    )


def remove_copies(name: str) -> None:
    """Remove what `copy_programs` made under this name."""
    for root in COPY_ROOTS:
        if _is_own(root / name):
            shutil.rmtree(root / name, ignore_errors=True)


def _copy(programs: Programs, target: Path) -> Programs:
    if _is_own(target):
        shutil.rmtree(target)
    target.mkdir(mode=0o755)
    for path in (programs.program, *programs.needed):
        source, copy = programs.root / path, target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(
                source, copy, ignore=shutil.ignore_patterns("*.a", "__pycache__"), dirs_exist_ok=True
            )
        else:
            shutil.copyfile(source, copy)
            shutil.copymode(source, copy)
    _open_to_all(target)
    return programs.moved(target)


def _open_to_all(directory: Path) -> None:
    """Let all users read; an installation made under a strict umask would let root alone."""
    directory.chmod(0o755)
    for place in directory.rglob("*"):
        if not place.is_symlink():
            runs = place.is_dir() or _mode(place) & stat.S_IXUSR
            place.chmod(0o755 if runs else 0o644)


def _takes_programs(root: Path) -> bool:
    found = root.stat()
    is_safe = found.st_uid == 0 and (not found.st_mode & stat.S_IWOTH or found.st_mode & stat.S_ISVTX)
    return bool(is_safe and found.st_mode & stat.S_IXOTH and not os.statvfs(root).f_flag & os.ST_NOEXEC)


def _is_own(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _mode(path: Path) -> int:
    return path.stat().st_mode
