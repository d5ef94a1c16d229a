"""What can be set from outside: environment variables and the `.env` file, each with its reason."""

import ipaddress
import os
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.billing.amounts import parse_amount
from worker.recipients.policy import FrequencyCap
from worker.secret_files import FILE_NAMES, PASSWORD, read_secret_files
from worker.service_addresses import postgres_address, redis_address
from worker.setting_names import unknown_names
from worker.webhooks.event_secrets import parse_secrets

LIVE_URL: Final = "https://app.lettrlabs.com/api"
# The only key the sandbox accepts, and one that LettrLabs refuses: it can never spend money.
SANDBOX_KEY: Final = "LL-API-sandbox"


class SettingsError(Exception):
    """One line per variable that cannot be used, naming the variable and never its value."""


class Vendor(StrEnum):
    """Who is spoken to, for display: every command and page says so."""

    SANDBOX = "sandbox"
    LIVE = "live"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError("must be an IANA time zone such as America/New_York") from None
    return name


def _known_cap(value: object) -> FrequencyCap | None:
    return value if value is None or isinstance(value, FrequencyCap) else FrequencyCap.parse(str(value))


def _known_percentage(value: object) -> object:
    """Read a number by the rules of amounts: a comma that is no thousands mark is refused."""
    if not isinstance(value, str):
        return value
    try:
        return parse_amount(value)
    except ValueError:
        raise ValueError("must be a percentage such as 2.5") from None


def _usable_key(key: SecretStr) -> SecretStr:
    text = key.get_secret_value().strip()
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("must be one line of plain letters and digits, as LettrLabs shows the key")
    return SecretStr(text)


def _usable_secrets(given: SecretStr) -> SecretStr:
    parse_secrets(given.get_secret_value())
    return SecretStr(" ".join(given.get_secret_value().split()))


def _networks(text: str) -> str:
    try:
        return " ".join(str(ipaddress.ip_network(one)) for one in text.replace(",", " ").split())
    except ValueError:
        raise ValueError("must be networks such as 10.0.0.0/8 and 127.0.0.1/32, one space apart") from None


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """Everything a process of Mailrun may be told, read once at its start."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        # Compose hands on an unset variable as an empty one: both mean "not set".
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    database_url: Annotated[str, AfterValidator(postgres_address)] | None = Field(
        None,
        validation_alias="DATABASE_URL",
        repr=False,
        description="PostgreSQL 15 or newer. Unset, the console starts one of its own in the data directory.",
    )
    migration_database_url: Annotated[str, AfterValidator(postgres_address)] | None = Field(
        None,
        validation_alias="MIGRATION_DATABASE_URL",
        repr=False,
        description="The same database as the role that owns its tables, for `mailrun migrate` alone: then the role "
        "of DATABASE_URL needs to read and write rows only. Unset, DATABASE_URL serves for both.",
    )
    redis_url: Annotated[str, AfterValidator(redis_address)] | None = Field(
        None,
        validation_alias="REDIS_URL",
        repr=False,
        description="Redis 7.0 or newer, or Valkey. Unset, the console starts one in the data directory.",
    )
    api_key: Annotated[SecretStr, AfterValidator(_usable_key)] | None = Field(
        None,
        validation_alias="LETTRLABS_API_KEY",
        description="Full access to the LettrLabs account. Unset, mail goes to the sandbox and no further.",
    )
    base_url: str = Field(
        LIVE_URL,
        validation_alias="LETTRLABS_BASE_URL",
        description="Where LettrLabs answers. Plain http is accepted for a sandbox only.",
    )
    exclusive: bool | None = Field(
        None,
        validation_alias="LETTRLABS_EXCLUSIVE",
        description="Whether nothing but this installation makes orders in the account: only then may an "
        "unexplained empty draft be taken over or deleted. Unset: on for the sandbox, off for a live key.",
    )
    rate: float = Field(
        10,
        gt=0,
        allow_inf_nan=False,
        validation_alias="LETTRLABS_RATE",
        description="Calls per second, all workers together. LettrLabs states no limit; ten finish about one "
        "order a second, more mail than most accounts buy and no strain on a shared web service.",
    )
    lease_seconds: Seconds = Field(
        90,
        validation_alias="MAILRUN_LEASE_SECONDS",
        description="How long a claim on a mailing holds. Outlives the longest HTTP call by a wide margin, "
        "so that a claim is taken over only from a worker that is gone.",
    )
    settlement_window_seconds: Seconds = Field(
        900,
        validation_alias="MAILRUN_SETTLEMENT_WINDOW_SECONDS",
        description="How long after a checkout with no readable answer an order still in Draft may turn. A "
        "quarter of an hour outlasts a payment gateway's own retries; waiting is free, paying twice is not.",
    )
    visibility_window_seconds: Seconds = Field(
        30,
        validation_alias="MAILRUN_VISIBILITY_WINDOW_SECONDS",
        description="How long the vendor's reads may lag behind its writes. What a read does not show leads to "
        "another write, or to a person, only after it was missing that long. Half a minute outlasts the usual "
        "read replica.",
    )
    unanswered_seconds: Seconds = Field(
        3600,
        validation_alias="MAILRUN_UNANSWERED_SECONDS",
        description="How long the calls of one mailing may fail before a person is asked, if other mailings "
        "pass the same stage meanwhile. An hour outlasts a deployment of the vendor's.",
    )
    poll_seconds: Seconds = Field(
        5,
        validation_alias="MAILRUN_POLL_SECONDS",
        description="Pause between looks at an order that is settling. LettrLabs settles in seconds to "
        "minutes; looking more often would spend the call rate and learn nothing.",
    )
    push_again_seconds: Seconds = Field(
        60,
        validation_alias="MAILRUN_PUSH_AGAIN_SECONDS",
        description="After how long a mailing's message counts as lost and is sent again. A minute is far "
        "longer than a message waits in a bounded queue, and a doubled message does nothing.",
    )
    dispatch_window: int = Field(
        500,
        ge=1,
        validation_alias="MAILRUN_DISPATCH_WINDOW",
        description="Mailings that wait in the broker at once; a message may be of eight. Less than a minute of "
        "work for one busy worker; the backlog stays in PostgreSQL, where urgent mail can still overtake it.",
    )
    tick_seconds: Seconds = Field(
        1,
        validation_alias="MAILRUN_TICK_SECONDS",
        description="Pause between two scans for due mailings. One indexed query a second is nothing to "
        "PostgreSQL, and a second is nothing to a letter.",
    )
    max_attempts: int = Field(
        8,
        ge=1,
        validation_alias="MAILRUN_MAX_ATTEMPTS",
        description="Claims on one stage before a person is asked. Eight doubling waits span about an hour, "
        "which most outages do not.",
    )
    retry_seconds: Seconds = Field(
        15,
        validation_alias="MAILRUN_RETRY_SECONDS",
        description="First pause after a failed call, doubled each time. Long enough for a restarting "
        "service to come back, short enough to stay unnoticed.",
    )
    broker_prefix: str = Field(
        "mailrun:",
        min_length=1,
        validation_alias="MAILRUN_BROKER_PREFIX",
        description="Begins every key in Redis, so that two installations can share one server.",
    )
    data_dir: Path = Field(
        Path(".mailrun"),
        validation_alias="MAILRUN_DATA_DIR",
        description="Where the console keeps what it starts itself: database, queue, sandbox, logs.",
    )
    zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        "UTC",
        validation_alias="MAILRUN_ZONE",
        description="IANA zone of a date or time that is given without one.",
    )
    price_tolerance: Annotated[Decimal, BeforeValidator(_known_percentage)] = Field(
        Decimal(0),
        ge=0,
        le=100,
        allow_inf_nan=False,
        validation_alias="MAILRUN_PRICE_TOLERANCE",
        description="Percent by which a price may move after its approval. None by default: what a person "
        "agreed to is an amount, and asking again costs a minute.",
    )
    four_eyes: bool = Field(
        default=False,
        validation_alias="MAILRUN_FOUR_EYES",
        description="Whether who submitted a mailing is barred from approving it. Off by default, for many "
        "work alone; it goes by the name a command is run as, which is a promise and no lock.",
    )
    cap: Annotated[FrequencyCap | None, BeforeValidator(_known_cap)] = Field(
        None,
        validation_alias="MAILRUN_CAP",
        description="At most so many pieces in so many days, such as 2/30 for a person or 2/30/address, where a "
        "mailing says nothing else. None by default: how often is often is for you to say.",
    )
    repeat_window_days: int = Field(
        30,
        ge=0,
        le=3650,
        validation_alias="MAILRUN_REPEAT_WINDOW_DAYS",
        description="Days within which a campaign does not mail its template again to a person who got it, unless "
        "told to. A month: the same card twice in a month is a mistake more often than a plan.",
    )
    keep_personal_days: int = Field(
        400,
        ge=1,
        validation_alias="MAILRUN_KEEP_PERSONAL_DAYS",
        description="Days after its end for which a mailing keeps names, addresses and its proof. A little over "
        "a year, so that last year's mailing can still be looked at; digests, counts and money stay.",
    )

    event_secrets: Annotated[SecretStr, AfterValidator(_usable_secrets)] | None = Field(
        None,
        validation_alias="MAILRUN_EVENT_SECRETS",
        description="Secrets that events are signed with, one space apart: `mailrun event secret` makes one. Bind "
        "each to what its sender may send: whsec_...;source=shop/*;type=order.*. Unset, no event is accepted.",
    )
    event_binary_mode: bool = Field(
        default=False,
        validation_alias="MAILRUN_EVENT_BINARY_MODE",
        description="Whether events in CloudEvents' binary mode are accepted. Off by default: the signature does not "
        "cover their attributes. Such a sender needs a secret bound to one source and one type.",
    )
    webhook_networks: Annotated[str, AfterValidator(_networks)] = Field(
        "",
        validation_alias="MAILRUN_WEBHOOK_NETWORKS",
        description="Networks of your own, such as 10.0.0.0/8, that webhooks may reach, with plain http too. "
        "None by default: a webhook's address must not become a way into what only this machine can reach.",
    )

    @field_validator("base_url")
    @classmethod
    def _keeps_the_key_from_eavesdroppers(cls, url: str, info: ValidationInfo) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"must be a web address such as {LIVE_URL}")
        if parts.scheme == "http" and not (_is_loopback(url) or _is_sandbox_key(info.data.get("api_key"))):
            raise ValueError("must begin with https:// so that the key is not sent in the clear")
        return url.rstrip("/")

    @property
    def vendor(self) -> Vendor:
        """The sandbox, where nothing costs money, or the live service."""
        pretends = self.api_key is None or _is_sandbox_key(self.api_key) or _is_loopback(self.base_url)
        return Vendor.SANDBOX if pretends else Vendor.LIVE

    @property
    def repeat_window(self) -> timedelta:
        """How long after a piece its template counts as mailed lately."""
        return timedelta(days=self.repeat_window_days)

    @property
    def owns_account(self) -> bool:
        """Whether a draft that no mailing explains may be taken over or deleted."""
        return self.vendor is Vendor.SANDBOX if self.exclusive is None else self.exclusive

    def environment(self) -> dict[str, str]:
        """Return the variables from which another process reads these same settings; the key is among them.

        The names of the files that secrets were read from are empty: a secret is given once.
        """
        fields = type(self).model_fields.items()
        values = {str(field.validation_alias): getattr(self, name) for name, field in fields}
        given = {name: _as_variable(value) for name, value in values.items() if value is not None}
        return dict.fromkeys(FILE_NAMES, "") | given


def _as_variable(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value.absolute())
        case _:
            return str(value)


def _is_sandbox_key(key: SecretStr | None) -> bool:
    return key is not None and key.get_secret_value() == SANDBOX_KEY


def read_settings(*env_files: Path) -> Settings:
    """Return the settings of this process; raises SettingsError, one plain line per wrong variable.

    `env_files` are read before `.env` in the current directory, which wins over them.
    """
    files = _existing_files(env_files)
    try:
        secrets, lines = read_secret_files(files)
        lines += unknown_names([*_names(), *FILE_NAMES], files)
        if not lines:
            return _settings(files, secrets)
    except ValidationError as error:
        lines = [_plain_line(problem) for problem in error.errors(include_url=False, include_input=False)]
    except UnicodeDecodeError:
        lines = [".env: is not UTF-8 text"]
    # Raised outside the handler: the cause would carry the rejected values into a traceback.
    raise SettingsError("\n".join(lines))


def _settings(files: Sequence[Path], secrets: dict[str, str]) -> Settings:
    password = secrets.pop(PASSWORD, None)
    given: dict[str, Any] = dict(secrets)
    found = Settings(_env_file=files or None, **given)
    if password:
        # libpq takes it from the environment, as every child process does.
        os.environ |= {PASSWORD: password, f"{PASSWORD}_FILE": ""}
    return found


def _names() -> list[str]:
    return [str(field.validation_alias) for field in Settings.model_fields.values()]


def _existing_files(env_files: Sequence[Path]) -> list[Path]:
    own = Settings.model_config.get("env_file")
    return [*env_files, Path(own)] if isinstance(own, str) else []


def _plain_line(problem: ErrorDetails) -> str:
    variable = str(problem["loc"][0])
    reason = problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return f"{variable}: {reason}"
