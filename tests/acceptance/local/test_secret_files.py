"""Secrets as files, the way Docker and Kubernetes hand them over."""

import os
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr

from worker.secret_files import PASSWORD, SECRETS
from worker.settings import Settings, SettingsError, read_settings

VALUES: Final = {
    "DATABASE_URL": "postgresql://a:hunter2@b/c",
    "MIGRATION_DATABASE_URL": "postgresql://o:hunter2@b/c",
    "REDIS_URL": "redis://:hunter2@b/0",
    "LETTRLABS_API_KEY": "LL-API-hunter2",
    "MAILRUN_EVENT_SECRETS": "whsec_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg==",
    PASSWORD: "hunter2",
}


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave every secret unset, and the environment as it was afterwards."""
    for name in SECRETS:
        monkeypatch.setenv(name, "")
        monkeypatch.setenv(f"{name}_FILE", "")


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give every secret as a file that ends with a line break."""
    for name, value in VALUES.items():
        (tmp_path / name).write_text(f"{value}\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))


def test_every_setting_that_is_not_shown_can_be_a_file() -> None:
    hidden = {
        str(field.validation_alias)
        for field in Settings.model_fields.values()
        if not field.repr or SecretStr.__name__ in str(field.annotation)
    }

    assert {*SECRETS} == {*hidden, PASSWORD} == {*VALUES}


@pytest.mark.usefixtures("files")
def test_secrets_are_read_from_files(monkeypatch: pytest.MonkeyPatch) -> None:
    from_files = read_settings()

    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(f"{name}_FILE", "")
    assert from_files == read_settings()


@pytest.mark.usefixtures("files")
def test_libpq_finds_its_password() -> None:
    read_settings()

    # A second look at the settings must not find the password given twice.
    assert os.environ[PASSWORD] == "hunter2"
    read_settings()


@pytest.mark.usefixtures("files")
def test_another_process_that_inherits_the_files_reads_the_same_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = read_settings()

    for name, value in here.environment().items():
        monkeypatch.setenv(name, value)

    assert read_settings().environment() == here.environment()


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text(VALUES[name])
    monkeypatch.setenv(name, VALUES[name])
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "secret"))

    with pytest.raises(SettingsError) as refused:
        read_settings()

    assert str(refused.value) == f"{name}_FILE: is set beside {name}: remove one of the two"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot read {}: no such file or directory"),
        (b"", "{} must hold the secret as text, and nothing else"),
        (b"\xff\xfe", "{} must hold the secret as text, and nothing else"),
        (b"x" * 65537, "{} must hold the secret as text, and nothing else"),
    ],
    ids=["missing", "empty", "binary", "large"],
)
def test_a_file_that_holds_no_secret_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("LETTRLABS_API_KEY_FILE", str(path))

    with pytest.raises(SettingsError) as refused:
        read_settings()

    assert str(refused.value) == f"LETTRLABS_API_KEY_FILE: {reason.format(path)}"


def test_a_directory_is_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDIS_URL_FILE", str(tmp_path))

    with pytest.raises(SettingsError, match=r"^REDIS_URL_FILE: cannot read .*: is a directory$"):
        read_settings()


def test_a_dotenv_file_may_name_the_file_of_a_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(VALUES["LETTRLABS_API_KEY"])
    (tmp_path / ".env").write_text(f"LETTRLABS_API_KEY_FILE={tmp_path / 'key'}\n")
    monkeypatch.delenv("LETTRLABS_API_KEY_FILE")
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    monkeypatch.chdir(tmp_path)

    found = read_settings().api_key

    assert found == SecretStr(VALUES["LETTRLABS_API_KEY"])


def test_a_misspelt_file_of_a_secret_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LETTRLABS_API_KEYFILE", "/run/secrets/key")

    with pytest.raises(SettingsError, match="did you mean LETTRLABS_API_KEY_FILE"):
        read_settings()
