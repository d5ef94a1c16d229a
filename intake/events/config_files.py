"""What people write by hand and keep beside their code: a TOML file, or the same as YAML."""

import tomllib
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Final

import yaml


class DocumentError(Exception):
    """The text is not of its language; the message says where."""


class _Yaml(yaml.SafeLoader):
    """YAML whose only truths are true and false, as its version 1.2 has it: by 1.1 the key `on` would be one."""


_BOOL: Final = "tag:yaml.org,2002:bool"
_Yaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str, name: str) -> dict[str, Any]:
    """Return what a document says, as YAML if its name ends so, else as TOML; raises DocumentError."""
    is_yaml = PurePath(name).suffix.lower() in {".yaml", ".yml"}
    language, read = ("YAML", _read_yaml) if is_yaml else ("TOML", tomllib.loads)
    try:
        return _document(read, text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" (at line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise DocumentError(f"is not YAML: {error.problem or 'it cannot be read'}{where}") from None
    except (RecursionError, ValueError, yaml.YAMLError) as error:
        raise DocumentError(
            f"is not {language}: {str(error).splitlines()[0] if str(error) else 'too deep'}"
        ) from None


def _document(read: Callable[[str], Any], text: str) -> dict[str, Any]:
    told = read(text)
    return told if isinstance(told, dict) else {}


def _read_yaml(text: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    return yaml.load(text, Loader=_Yaml)  # noqa: S506 - a SafeLoader
