"""The addresses of PostgreSQL and Redis as an operator writes them, checked before anything connects.

No message quotes an address: what is wrong with it may be a piece of its password.
"""

from typing import Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

DRIVER: Final = "postgresql+psycopg"
_POSTGRES_SCHEMES: Final = {"postgres", "postgresql", DRIVER}
_REDIS_SCHEMES: Final = ("redis://", "rediss://", "redis+socket://")
_HIGHEST_PORT: Final = 65535
_QUOTE_IT: Final = "must write %40 for @ in the user name or password"


def postgres_address(url: str) -> str:
    """Return the address with the driver that Mailrun uses; raise ValueError with one sentence."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in _POSTGRES_SCHEMES:
        raise ValueError("must be a PostgreSQL address such as postgresql://user:password@host/mailrun")
    if rest.count("@") > 1:
        raise ValueError(_QUOTE_IT)
    parsed = _parse(f"{DRIVER}://{rest}")
    if "," in (parsed.host or "") or any("," in host for host in _hosts(parsed)):
        raise ValueError(
            "must name one host, or each in the query: postgresql:///mailrun?host=a:5432&host=b:5432"
        )
    if parsed.port is not None and not 0 < parsed.port <= _HIGHEST_PORT:
        raise ValueError(f"must name a port from 1 to {_HIGHEST_PORT}")
    return f"{DRIVER}://{rest}"


def redis_address(url: str) -> str:
    """Return the address; raise ValueError with one sentence."""
    if not url.startswith(_REDIS_SCHEMES):
        raise ValueError("must be a Redis address such as redis://host:6379/0")
    if url.count("@") > 1:
        raise ValueError(_QUOTE_IT)
    parts = urlsplit(url)
    if "@" in url and "@" not in parts.netloc:
        raise ValueError("must write %2F, %3F and %23 for /, ? and # in the password")
    if "," in parts.netloc.rpartition("@")[2]:
        raise ValueError("must name one host")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(f"must name a port from 1 to {_HIGHEST_PORT}") from None
    if (
        not url.startswith("redis+socket://")
        and not parts.path.strip("/").isdecimal()
        and parts.path.strip("/")
    ):
        raise ValueError("must end with the number of a database, such as redis://host:6379/0")
    return url


def password_of(url: str | None) -> str:
    """Return the password in an address that was checked, or an empty string."""
    if not url:
        return ""
    if url.startswith(DRIVER):
        return str(make_url(url).password or "")
    return unquote(urlsplit(url).password or "")


def user_of(url: str) -> str | None:
    """Return the role in a PostgreSQL address that was checked, if it names one."""
    return make_url(url).username


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # The cause quotes the part that could not be read.
        pass
    raise ValueError("must name one host and one port, such as postgresql://user:password@host:5432/mailrun")


def _hosts(parsed: URL) -> tuple[str, ...]:
    hosts = parsed.query.get("host", ())
    return (hosts,) if isinstance(hosts, str) else hosts
