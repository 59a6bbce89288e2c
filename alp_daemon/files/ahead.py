"""Two stages of reading on two processors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, cast

T = TypeVar("T")

_END: Any = object()


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; a thread makes the next one while the caller works on the last.

    Pays where making an item and working on it is arithmetic on big arrays: numpy lets other threads run meanwhile.
    What making an item raises comes where the item would have come.
    """
    from concurrent.futures import ThreadPoolExecutor  # 10 ms that small files do not pay

    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = thread.submit(next, items, _END)
            yield cast(T, item)
