"""A worker lives for years of small files: what one has taken is free at its end."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

import numpy as np
import pytest

from tests.services.provider import Provider, csv, numbers

MOST = 2**14
"""Bytes: a few closures of the standard library."""


def _rejects(start: int) -> str:
    return "Phone,Tags\n" + f"nobody {start},a\n" * 20


@pytest.mark.parametrize(
    "file",
    [
        lambda start: csv(numbers(3, start)),
        lambda start: csv(numbers(6000, start)),
        _rejects,
        lambda _: "\x00\x01" * 99,
        lambda _: "Phone\n",
    ],
    ids=["small", "large", "rejects", "garbage", "a column is missing"],
)
def test_what_a_file_has_taken_is_free_at_its_end(acme: Provider, file: Callable[[int], str]) -> None:
    """And not when Python next looks for cycles: until then some of the files' tables would pile up in a worker."""
    acme.process("append.csv", file(1))  # what is loaded for the first time
    gc.collect()
    gc.disable()
    try:
        acme.process("append.csv", file(2))
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = _bytes_of(gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left < MOST


def _bytes_of(cycles: list[object]) -> int:
    """Of the objects in them and of what only those have, of which the collector knows nothing."""
    held = {id(each): each for each in gc.get_referents(*cycles) if isinstance(each, np.ndarray | bytes | bytearray)}
    return sum(map(sys.getsizeof, [*cycles, *held.values()]))
