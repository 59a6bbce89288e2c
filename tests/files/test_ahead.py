"""Items that a thread makes ahead are the same items, and so are the faults."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from alp_daemon.files.ahead import ahead


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_the_items_come_in_order(count: int) -> None:
    assert list(ahead(iter(range(count)))) == list(range(count))


def test_all_but_the_first_are_made_by_another_thread() -> None:
    first, *others = ahead(threading.get_ident() for _ in range(4))
    assert first == threading.get_ident()
    assert len(set(others)) == 1
    assert first not in others


def test_what_is_raised_comes_where_the_item_would_have_come() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("the third")

    coming = ahead(items())
    assert [next(coming), next(coming)] == [1, 2]
    with pytest.raises(ValueError, match="the third"):
        next(coming)


def test_the_thread_ends_with_whoever_stops_taking() -> None:
    before = threading.active_count()
    coming = ahead(iter(range(10)))
    assert isinstance(coming, Iterator)
    assert [next(coming), next(coming)] == [0, 1]
    assert threading.active_count() == before + 1
    del coming
    assert threading.active_count() == before
