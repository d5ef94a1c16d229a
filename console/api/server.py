"""The process that answers HTTP: a socket of our own, uvicorn on it, a line on stdout when it is ready."""

import logging
import signal
import socket
import sys
from typing import Any, Final

from sqlalchemy import event
from starlette.types import ASGIApp
from uvicorn import Config, Server

from console.api.app import CONNECTIONS, build
from console.api.protocol import BoundedProtocol
from worker.context import open_engine
from worker.settings import Settings

READY: Final = "web ready on "
_BACKLOG: Final = 2048
# As a load balancer's: above the idle time after which HTTP clients close a connection themselves.
_KEEP_ALIVE_SECONDS: Final = 75
# An upload or a commit under way ends within this; what does not was not answered, and is sent again.
_GRACE_SECONDS: Final = 10
# Twice a request's deadline: a statement of a long list may take longer than a page's.
_STATEMENT_SECONDS: Final = 60


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve on a bound socket until SIGTERM or SIGINT; prints when it is ready.

    Several processes may serve one database: nothing is kept between two requests.
    """
    if settings.database_url is None:
        raise ValueError("the settings name no database")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    engine = open_engine(settings.database_url, connections=CONNECTIONS)
    event.listen(engine, "connect", _limit_statements)
    try:
        run(build(engine, settings), listener)
    finally:
        engine.dispose()


def _limit_statements(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """Have PostgreSQL end what no request waits for any more, and transactions of a process that was stopped."""
    connection.execute(f"SET statement_timeout = '{_STATEMENT_SECONDS}s'")
    connection.execute("SET idle_in_transaction_session_timeout = '60s'")
    connection.commit()


def run(app: ASGIApp, listener: socket.socket) -> None:
    """Run an application on a bound socket until SIGTERM or SIGINT."""
    server = _WebServer(configure(app), listener)
    for stop in (signal.SIGTERM, signal.SIGINT):
        # Until uvicorn listens for signals itself, the same handler makes it end as soon as it has begun.
        signal.signal(stop, server.handle_exit)
    server.run(sockets=[listener])


def configure(app: ASGIApp) -> Config:
    """Return how uvicorn serves an application: bounded heads, no access log, no trust in proxy headers."""
    return Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises OSError if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    # Accepted connections inherit it. asyncio sets it only on sockets that name their protocol, which these do
    # not, and without it an answer's body waits 40 ms for the client to acknowledge its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class _WebServer(Server):
    """uvicorn's server, which says when it is ready."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._host, self._port = listener.getsockname()[:2]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        host = f"[{self._host}]" if ":" in self._host else self._host
        sys.stdout.write(f"{READY}http://{host}:{self._port}\n")
        sys.stdout.flush()
