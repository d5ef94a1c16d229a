"""One HTTP exchange, and the ways in which it can end without an answer."""

import asyncio
import socket
import struct

from starlette.types import Receive, Scope, Send

from sandbox.http.envelopes import Reply
from sandbox.http.protocol import BoundedProtocol

_TRANSPORT = "sandbox.transport"
# A thousand recipients with all merge fields are some 3 MB.
MAX_BODY_BYTES = 16 * 2**20
_BODY_SECONDS = 60
# Lingering for 0 seconds makes closing a socket send a reset instead of a polite end.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Protocol(BoundedProtocol):
    """uvicorn's HTTP, with the connection itself handed to the application so that it can be broken."""

    def on_message_begin(self) -> None:
        """Offer the transport as an ASGI extension of the exchange that begins."""
        super().on_message_begin()
        self.scope["extensions"] = {_TRANSPORT: {"transport": self.transport}}


class Exchange:
    """A request whose answer is still owed."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, number: str) -> None:
        self._receive = receive
        self._send = send
        self._number = number.encode()
        self._transport: asyncio.Transport = scope["extensions"][_TRANSPORT]["transport"]

    async def body(self) -> bytes:
        """Return the request body; raises TimeoutError.

        A body above MAX_BODY_BYTES is cut: what is left of it is not JSON and is refused.
        """
        parts: list[bytes] = []
        size, more = 0, True
        async with asyncio.timeout(_BODY_SECONDS):
            while more and size <= MAX_BODY_BYTES:
                message = await self._receive()
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                more = message.get("more_body", False)
        return b"".join(parts)

    async def send(self, reply: Reply) -> None:
        """Send the answer."""
        await self._start(reply)
        await self._send({"type": "http.response.body", "body": reply.body, "more_body": False})

    async def send_half(self, reply: Reply) -> None:
        """Promise the whole answer, send half of its body and hang up."""
        await self._start(reply)
        half = reply.body[: len(reply.body) // 2]
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        self._transport.close()
        await self.gone()

    async def cut(self) -> None:
        """Hang up without an answer."""
        self._transport.abort()
        await self.gone()

    async def reset(self) -> None:
        """Break the connection off with a reset: as near to a refused connection as an open port gets."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        await self.cut()

    async def gone(self) -> None:
        """Wait until the connection is closed, by whichever side."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _start(self, reply: Reply) -> None:
        length = str(len(reply.body)).encode()
        headers = [*reply.headers, (b"content-length", length), (b"x-request-id", self._number)]
        await self._send({"type": "http.response.start", "status": reply.status, "headers": headers})
