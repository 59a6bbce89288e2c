"""Two stages of reading on two processors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

_Made = tuple[T | None, BaseException | None]
"""An item, or what was raised instead of it; neither where the items end."""


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; a thread makes the next one while the caller works on the last.

    Pays where making an item and working on it is arithmetic on big arrays: numpy lets other threads run meanwhile.
    The first item is made by the caller, so that there is no thread where no other follows. What making an item
    raises comes where the item would have come.
    """
    first = next(items, None)
    if first is None:
        return
    asked: SimpleQueue[bool] = SimpleQueue()
    made: SimpleQueue[_Made[T]] = SimpleQueue()
    thread = threading.Thread(target=_make, args=(items, asked, made), daemon=True)
    thread.start()
    try:
        asked.put(True)
        yield first
        while (item := _received(made)) is not None:
            asked.put(True)
            yield item
    finally:
        asked.put(False)
        thread.join()


def _make(items: Iterator[T], asked: SimpleQueue[bool], made: SimpleQueue[_Made[T]]) -> None:
    while asked.get():
        try:
            made.put((next(items, None), None))
        except BaseException as error:  # noqa: BLE001  raised again where the item is asked for
            made.put((None, error))


def _received(made: SimpleQueue[_Made[T]]) -> T | None:
    item, error = made.get()
    if error is not None:
        raise error
    return item
