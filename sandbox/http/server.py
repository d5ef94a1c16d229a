"""The process: a socket, uvicorn on it, a line on stdout when it is ready, and a quick end."""

import asyncio
import signal
import socket
import sys
from contextlib import suppress

from uvicorn import Config, Server

from sandbox.control import Control
from sandbox.http.app import Application
from sandbox.http.responses import Protocol
from sandbox.http.vendor import Vendor
from sandbox.persisted_state import Books

_BACKLOG = 2048
_RETRY_SECONDS = 0.05
# As a load balancer's: well above the idle time after which HTTP clients close a connection themselves.
_KEEP_ALIVE_SECONDS = 75


def serve(books: Books, key: str, listener: socket.socket) -> None:
    """Serve these books on a bound socket until SIGTERM or SIGINT; prints when it is ready."""
    control = Control(books)
    config = Config(
        Application(Vendor(books, key), control),
        http=Protocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    server = _SandboxServer(config, listener)
    control.door = server
    for stop in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal once more when it is done; an asked-for end is no failure. Until
        # uvicorn listens for signals itself, the same handler makes it end as soon as it has begun.
        signal.signal(stop, server.handle_exit)
    server.run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises OSError if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    # Accepted connections inherit it. asyncio sets it only on sockets that name their protocol, which these
    # do not, and without it the body waits 40 ms for the client to acknowledge the headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class _SandboxServer(Server):
    """uvicorn's server, which can also leave its port for a while."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._host, self._port = listener.getsockname()[:2]
        self._absence: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        host = f"[{self._host}]" if ":" in self._host else self._host
        sys.stdout.write(f"sandbox ready on http://{host}:{self._port}\n")
        sys.stdout.flush()

    def close_for(self, seconds: float) -> None:
        """Refuse connections for this long; those that stand end with the answer they wait for."""
        for server in self.servers:
            server.close()
        self.servers = []
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self._absence is not None:
            self._absence.cancel()
        self._absence = asyncio.create_task(self._come_back(seconds))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop at once: a call still open now is one that a fault keeps waiting."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()
        await super().shutdown(sockets)

    async def _come_back(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        while not self.servers:
            with suppress(OSError):
                await super().startup([listen(self._host, self._port)])
                return
            await asyncio.sleep(_RETRY_SECONDS)
