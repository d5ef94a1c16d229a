"""Addresses as operators mistype them: one sentence, and no piece of a password."""

import pytest

from worker.service_addresses import password_of, postgres_address, redis_address
from worker.settings import Settings, SettingsError, read_settings


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hun@ter2@host/mailrun",
        "postgresql://u:hunter2@h1:5432,h2:5432/mailrun",
        "postgresql://u:hunter2@h1,h2/mailrun",
        "postgresql://u:hunter2@host:hunter2/mailrun",
        "postgresql://u:hunter2@host:/mailrun",
        "postgresql://u:hunter2@host:70000/mailrun",
        "postgresql://u:hunter2@host:0/mailrun",
        "postgresql:///mailrun?host=h1,h2&password=hunter2",
        "mysql://u:hunter2@host/mailrun",
        "hunter2",
    ],
)
def test_a_postgresql_address_that_cannot_work_is_one_sentence(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "MIGRATION_DATABASE_URL"):
        monkeypatch.setenv(name, url)
        with pytest.raises(SettingsError) as error:
            read_settings()
        monkeypatch.delenv(name)
        assert str(error.value).startswith(f"{name}: must ")
        assert "\n" not in str(error.value)
        assert not any(piece in str(error.value) for piece in ("hunter2", "hun", "ter2"))


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hun@ter2@host:6379/0",
        "redis://:hun/ter2@host:6379/0",
        "redis://:hun#ter2@host:6379/0",
        "redis://:hunter2@h1:6379,h2:6379/0",
        "redis://:hunter2@host:ter2/0",
        "redis://:hunter2@host:99999/0",
        "redis://:hunter2@host:6379/hunter2",
        "amqp://hunter2",
    ],
)
def test_a_redis_address_that_cannot_work_is_one_sentence(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)

    with pytest.raises(SettingsError) as error:
        read_settings()

    assert str(error.value).startswith("REDIS_URL: must ")
    assert "\n" not in str(error.value)
    assert not any(piece in str(error.value) for piece in ("hunter2", "hun", "ter2"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://host/mailrun",
        "postgresql://u:p%40ss@[::1]:5432/mailrun?sslmode=require",
        "postgresql:///mailrun?host=a:5432&host=b:5432",
        "postgresql://mailrun@/mailrun?host=/run/postgresql",
    ],
)
def test_a_postgresql_address_that_works_is_taken(url: str) -> None:
    assert postgres_address(url) == url.replace("postgresql://", "postgresql+psycopg://")


@pytest.mark.parametrize("url", ["redis://host", "rediss://u:p@host:6380/2", "redis+socket:///run/v.sock"])
def test_a_redis_address_that_works_is_taken(url: str) -> None:
    assert redis_address(url) == url


def test_the_passwords_that_logs_must_not_show_are_found_in_every_spelling() -> None:
    settings = Settings(database_url="postgresql://u:p%2Fa%3Fss@host/d", redis_url="redis://:wo%2Frd@host/0")

    assert password_of(settings.database_url) == "p/a?ss"
    assert password_of(settings.redis_url) == "wo/rd"
