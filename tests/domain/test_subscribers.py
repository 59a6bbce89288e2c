"""Addresses as keys, and attributes = a small reference, over random lists and uploads."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.subscribers import BLANK, UNSAID, AddressBook, AttributeSets, Column, Value, attributes_after

values: st.SearchStrategy[Value] = st.one_of(
    st.text(min_size=1, max_size=3), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
)
names = st.sampled_from(["City", "FirstName", "ID", 'quo"ted', "Ünïcode"])
people = st.lists(st.dictionaries(names, values, max_size=4), max_size=6)


@st.composite
def uploads(draw: st.DrawFn, rows: int) -> list[Column]:
    columns = []
    for name in draw(st.lists(names, unique=True, max_size=4)):
        held = [0, *draw(st.lists(values, max_size=3))]
        codes = draw(st.lists(st.integers(UNSAID, len(held) - 1), min_size=rows, max_size=rows))
        default = draw(st.one_of(st.none(), values))
        columns.append(Column(name, held, np.array(codes, np.int32), default, draw(st.booleans())))
    return columns


def reference(old: dict[str, Any], row: int, columns: list[Column]) -> dict[str, Any]:
    new = dict(old)
    for column in columns:
        if column.codes[row] == UNSAID:
            continue
        value = column.values[column.codes[row]] if column.codes[row] != BLANK else None
        if value is not None:
            new[column.name] = value
        elif column.default is not None:
            if column.name not in old or column.blank_removes:
                new[column.name] = column.default
        elif column.blank_removes:
            new.pop(column.name, None)
    return new


@given(people, st.data())
def test_attributes_equal_the_reference(before: list[dict[str, Any]], data: st.DataObject) -> None:
    columns = data.draw(uploads(len(before)))
    texts = [
        "{"
        + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{json.dumps(old[k], ensure_ascii=False)}" for k in sorted(old))
        + "}"
        for old in before
    ]
    after = attributes_after(texts, columns)
    assert [json.loads(text) for text in after] == [reference(old, row, columns) for row, old in enumerate(before)]
    assert attributes_after(after, columns) == after, "the same upload twice is the same as once"


@given(st.lists(st.sampled_from("abcdef")), st.lists(st.sampled_from("abcdef")))
def test_an_address_has_one_key_for_ever(first: list[str], second: list[str]) -> None:
    book = AddressBook({}, 1)
    keys = dict(zip(first, book.take_in(first).tolist(), strict=True))
    assert len(set(keys.values())) == len(keys)
    stored = AddressBook({address: key for key, address in book.take_new()}, len(keys) + 1)
    assert stored.find(first).tolist() == [keys[address] for address in first]
    again = dict(zip(second, stored.take_in(second).tolist(), strict=True))
    assert {address: again[address] for address in again if address in keys} == {
        address: key for address, key in keys.items() if address in again
    }
    assert {address for _, address in stored.take_new()} == set(second) - set(first)


def test_who_keeps_the_same_attributes_keeps_the_same_record() -> None:
    sets = AttributeSets({4: '{"City":"Ely"}'}, 5)
    ids = sets.changed(np.array([4, 4, 0, 4], np.int32), ['{"City":"Ely"}', '{"City":"Bath"}', '{"City":"Bath"}', "{}"])
    assert ids.tolist() == [4, 5, 5, 0]
    assert sets.take_new() == [(5, '{"City":"Bath"}')]
    assert sets.texts(ids) == ['{"City":"Ely"}', '{"City":"Bath"}', '{"City":"Bath"}', "{}"]
