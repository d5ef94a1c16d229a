"""A copy of the code in which mistakes are made, so that the working tree stays as it is."""

import compileall
import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from py_compile import PycInvalidationMode

_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".mailrun", "__pycache__", ".*_cache", ".hypothesis")
# What is no part of the product cannot hold a mistake of it.
_NO_PRODUCT = frozenset({"tests", "bench", "sandbox", "migrations"})


@dataclass(frozen=True)
class Workspace:
    """A copy of the repository."""

    root: Path

    @classmethod
    def copy(cls, original: Path, directory: Path) -> "Workspace":
        """Copy the repository, compiled such that a change of a source is noticed by its content."""
        root = directory / "code"
        shutil.copytree(original, root, ignore=_LEFT_OUT)
        # By size and second, two mistakes of one length within a second look alike.
        compileall.compile_dir(root, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        return cls(root)

    @cached_property
    def sources(self) -> Mapping[Path, str]:
        """The product's source files by path, relative to the root."""
        files = (path.relative_to(self.root) for path in sorted(self.root.rglob("*.py")))
        return {file: (self.root / file).read_text() for file in files if file.parts[0] not in _NO_PRODUCT}

    def test_file(self, stem: str) -> str:
        """Return the path of the one test file of this name, or nothing."""
        found = [path.relative_to(self.root) for path in (self.root / "tests").rglob(f"{stem}.py")]
        return str(found[0]) if len(found) == 1 else ""

    @contextlib.contextmanager
    def mutated(self, file: Path, text: str) -> Iterator[None]:
        """Hold other text in a file meanwhile."""
        path = self.root / file
        path.write_text(text)
        try:
            yield
        finally:
            path.write_text(self.sources[file])
