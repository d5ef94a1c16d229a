"""Secrets that are given as files, such as Docker's and Kubernetes' secrets: `NAME_FILE` in place of `NAME`."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

# PGPASSWORD is read by libpq, which knows no such file; every other name is a setting.
PASSWORD: Final = "PGPASSWORD"  # noqa: S105 - the name of a variable
SECRETS: Final = (
    "DATABASE_URL",
    "MIGRATION_DATABASE_URL",
    "REDIS_URL",
    "LETTRLABS_API_KEY",
    "MAILRUN_EVENT_SECRETS",
    PASSWORD,
)
SUFFIX: Final = "_FILE"
FILE_NAMES: Final = tuple(f"{name}{SUFFIX}" for name in SECRETS)
# A larger file is no secret but a mistake, or a device without an end.
LARGEST_SECRET: Final = 65536


def read_secret_files(env_files: Iterable[Path]) -> tuple[dict[str, str], list[str]]:
    """Return the secrets by name, and one line for each that cannot be read; no line quotes a secret.

    The environment wins over `env_files`, and a later file over an earlier one.
    """
    variables = _variables(env_files)
    secrets, problems = {}, []
    for name in SECRETS:
        path = variables.get(f"{name}{SUFFIX}")
        if path and variables.get(name):
            problems.append(f"{name}{SUFFIX}: is set beside {name}: remove one of the two")
        elif path:
            try:
                secrets[name] = _read(Path(path))
            except ValueError as error:
                problems.append(f"{name}{SUFFIX}: {error}")
    return secrets, problems


def _variables(env_files: Iterable[Path]) -> Mapping[str, str | None]:
    found: dict[str, str | None] = {}
    for file in filter(Path.is_file, env_files):
        found |= dotenv_values(file, encoding="utf-8")
    return found | dict(os.environ)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_SECRET + 1)
        # An editor ends a file with a line break, which belongs to no secret.
        secret = content.decode().strip()
    except OSError as error:
        reason = str(error.strerror or error).lower()
        raise ValueError(f"cannot read {path}: {reason}") from None
    except UnicodeDecodeError:
        secret = ""
    if not secret or len(content) > LARGEST_SECRET:
        raise ValueError(f"{path} must hold the secret as text, and nothing else")
    return secret
