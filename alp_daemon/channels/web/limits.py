"""Bodies: how large, how slow, and what becomes of one that nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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

        async def receive_in_time() -> Message:
            nonlocal unread, whole
            if whole:
                return await receive()  # waits for the client to leave, which may take as long as the answer
            try:
                message = await asyncio.wait_for(receive(), self._idle_seconds)
            except TimeoutError:
                raise HttpProblem(408, f"nothing came for {self._idle_seconds:g} seconds") from None
            whole = not message.get("more_body")
            unread = unread and not whole
            return message

        async def send_and_part(message: Message) -> None:
            if unread and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive_in_time, send_and_part)


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
