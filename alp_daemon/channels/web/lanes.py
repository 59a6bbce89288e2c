"""One at a time for each address, however many of its requests wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Lanes:
    """Only on the loop. A lane is there for as long as somebody is in it or waits for it."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._locks)

    @asynccontextmanager
    async def alone(self, address: str) -> AsyncIterator[None]:
        """Waits until everybody of this address who came before has left."""
        lock = self._locks.setdefault(address, asyncio.Lock())
        self._users[address] = self._users.get(address, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._users[address] -= 1
            if not self._users[address]:
                del self._users[address], self._locks[address]
