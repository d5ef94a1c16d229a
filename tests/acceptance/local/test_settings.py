import re
from pathlib import Path

import pytest

from sandbox import DEFAULT_KEY
from worker.settings import SANDBOX_KEY, Settings, SettingsError, Vendor, read_settings

EXAMPLE = Path(__file__).parents[3] / ".env.example"
SECRET = "LL-API-made-up-for-this-test"  # noqa: S105 (opens nothing)
LIVE = Settings(api_key=SECRET, base_url="https://app.lettrlabs.com/api")


def test_the_example_file_lists_every_setting_and_nothing_else() -> None:
    listed = re.findall(r"^([A-Z_]+)=", EXAMPLE.read_text(), flags=re.MULTILINE)

    assert listed == [field.validation_alias for field in Settings.model_fields.values()]


def test_the_example_file_used_as_it_is_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LETTRLABS_API_KEY")
    monkeypatch.delenv("LETTRLABS_BASE_URL")

    copied = Settings(_env_file=EXAMPLE)

    assert copied == Settings()


def test_every_setting_says_what_it_is_for() -> None:
    silent = [name for name, field in Settings.model_fields.items() if not field.description]

    assert silent == []


def test_each_wrong_variable_is_one_plain_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LETTRLABS_RATE", "fast")
    monkeypatch.setenv("MAILRUN_ZONE", "Mars/Olympus")
    monkeypatch.setenv("MAILRUN_LEASE_SECONDS", "-1")

    with pytest.raises(SettingsError) as error:
        read_settings()

    lines = str(error.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "LETTRLABS_RATE",
        "MAILRUN_LEASE_SECONDS",
        "MAILRUN_ZONE",
    ]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", f"mysql://mailrun:{SECRET}@host/mailrun"),
        ("REDIS_URL", f"amqp://mailrun:{SECRET}@host"),
        ("LETTRLABS_API_KEY", f"{SECRET}\nX-Other: header"),
        ("LETTRLABS_BASE_URL", f"ftp://{SECRET}@host"),
    ],
)
def test_a_refused_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=f"^{variable}: ") as error:
        read_settings()

    assert SECRET not in repr(error.getrepr(chain=True))


def test_the_settings_never_show_the_key_or_a_password() -> None:
    settings = LIVE.model_copy(update={"database_url": f"postgresql://a:{SECRET}@b/c", "redis_url": SECRET})

    assert SECRET not in f"{settings!r} {settings}"


@pytest.mark.parametrize("url", ["postgres://h/d", "postgresql://h/d", "postgresql+psycopg://h/d"])
def test_any_common_postgresql_address_will_do(url: str) -> None:
    assert Settings(database_url=url).database_url == "postgresql+psycopg://h/d"


def test_a_key_is_not_sent_in_the_clear() -> None:
    with pytest.raises(ValueError, match="must begin with https"):
        Settings(api_key=SECRET, base_url="http://app.lettrlabs.com/api")


@pytest.mark.parametrize(
    ("settings", "vendor"),
    [
        (LIVE, Vendor.LIVE),
        (Settings(api_key=None, base_url=LIVE.base_url), Vendor.SANDBOX),
        (Settings(api_key=SECRET, base_url="http://127.0.0.1:8700/api"), Vendor.SANDBOX),
        (Settings(api_key=SECRET, base_url="http://[::1]:8700/api"), Vendor.SANDBOX),
        (Settings(api_key=SANDBOX_KEY, base_url="http://sandbox:8700/api"), Vendor.SANDBOX),
    ],
)
def test_it_is_known_who_is_spoken_to(settings: Settings, vendor: Vendor) -> None:
    assert settings.vendor is vendor


def test_the_sandbox_accepts_the_key_that_stands_for_it() -> None:
    assert SANDBOX_KEY == DEFAULT_KEY


def test_a_live_account_is_shared_unless_it_is_said_not_to_be() -> None:
    assert not LIVE.owns_account
    assert LIVE.model_copy(update={"exclusive": True}).owns_account
    assert Settings(api_key=SANDBOX_KEY).owns_account


def test_another_process_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = LIVE.model_copy(
        update={"data_dir": tmp_path, "exclusive": True, "lease_seconds": 0.2, "zone": "Asia/Tokyo"}
    )

    for name, value in told.environment().items():
        monkeypatch.setenv(name, value)

    assert read_settings() == told
