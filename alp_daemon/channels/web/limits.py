"""Bodies: how large, how slow, and what becomes of one that nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alp_daemon.channels.web.problems import HttpProblem

IDLE_SECONDS = 30.0
"""A client that sends nothing for so long has gone."""
SMALL_BODY_SECONDS = 30.0
"""The whole of a body that is kept in memory."""
SMALL_BODY = 2**20
# What is left of a refused body up to this size is read away, so that the connection can go on.
_READ_AWAY = 2**16
# What is left of a larger one is read away while the client has its answer already, and then the connection ends. If
# it ended at once, the kernel would send a reset for what it holds unread, and many a client that is still sending
# would see that and not the answer (RFC 9112, 9.6).
_LINGER_BYTES = 2**26
_LINGER_SECONDS = 30.0
_LINGER_SILENCE = 2.0

# Time limits stand within each other here. `asyncio.wait_for` would not do: until Python 3.12 it drops the outer one's
# cancellation where a message comes at that moment, and then nothing ends the waiting.


class BodyLimits:
    """Ends waiting for a silent client, and the connection after an answer that did not read a large body."""

    def __init__(self, app: ASGIApp, idle_seconds: float = IDLE_SECONDS) -> None:
        self._app = app
        self._idle_seconds = idle_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        unread, whole = _may_be_large(Headers(scope=scope)), False
        silent = parting = False

        async def receive_in_time() -> Message:
            nonlocal unread, whole, silent
            if whole:
                return await receive()  # waits for the client to leave, which may take as long as the answer
            try:
                async with asyncio.timeout(self._idle_seconds):
                    message = await receive()
            except TimeoutError:
                silent = True
                raise HttpProblem(408, f"nothing came for {self._idle_seconds:g} seconds") from None
            whole = not message.get("more_body")
            unread = unread and not whole
            return message

        async def send_and_part(message: Message) -> None:
            nonlocal parting
            if unread and message["type"] == "http.response.start":
                # An answer that says how long it is has arrived before its formal end is sent, which closes.
                parting = not silent and "content-length" in Headers(raw=message["headers"])
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            elif parting and not message.get("more_body"):
                await send({**message, "more_body": True})
                await _read_away(receive)
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, receive_in_time, send_and_part)


async def _read_away(receive: Receive) -> None:
    """Reads what the client still sends, until it has sent all, has left or is silent; at most so much and so long."""
    left = _LINGER_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while left > 0:
                async with asyncio.timeout(_LINGER_SILENCE):
                    message = await receive()
                if not message.get("more_body"):
                    return
                left -= len(message["body"])


def _may_be_large(headers: Headers) -> bool:
    length = headers.get("content-length", "0")
    return "transfer-encoding" in headers or not length.isdecimal() or int(length) > _READ_AWAY


async def small_body(request: Request) -> bytes:
    """The whole body. Raises ``HttpProblem`` where it is larger than ``SMALL_BODY`` or does not come in time."""
    check_length(request, SMALL_BODY)
    body = bytearray()
    async with in_time():
        async for chunk in request.stream():
            body += chunk
            if len(body) > SMALL_BODY:
                raise too_large(SMALL_BODY)
    return bytes(body)


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """What is kept in memory, or is a stranger's, must have come within ``SMALL_BODY_SECONDS``."""
    try:
        async with asyncio.timeout(SMALL_BODY_SECONDS):
            yield
    except TimeoutError:
        raise HttpProblem(408, f"the body took longer than {SMALL_BODY_SECONDS:g} seconds") from None


def check_length(request: Request, most: int) -> None:
    """Refuses a body that announces that it is too large, before any of it is read."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > most:
        raise too_large(most)


def too_large(most: int) -> HttpProblem:
    more: dict[str, Any] = {"limit": most}
    return HttpProblem(413, f"the body may have {most:,} bytes", more=more)
