"""A small file beside its list: planned by its own rows, it comes to the very same as by the whole list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.guard import MAX_UNKNOWN_TAGS
from alp_daemon.domain.model import Evidence
from alp_daemon.domain.plan import Plan
from alp_daemon.services.processing import fewrows
from alp_daemon.services.processing.assess import Assessment, assess, assess_few
from alp_daemon.services.processing.rules import rules_for
from alp_daemon.services.processing.source import Source, read_source
from tests import databases
from tests.services.provider import MODES, Provider, csv, feed, number, numbers

SETS = ("", "a", "b", "a|b", "a|b|c", "c|d", "never seen", "never seen|a")
files = st.dictionaries(st.integers(0, 11).map(number), st.sampled_from(SETS), max_size=8)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A list whose numbers stand in every status with every kind of tags, and the number 11 is not on it."""
    made = Provider(tmp_path_factory.mktemp("few"))
    made.configure({mode: feed(mode) for mode in MODES}, preformatted={"minus": "opt_out"})
    rows = {number(index): SETS[index % 6] for index in range(11)}
    made.process("soft_opt_out.csv", rows)
    made.process(
        "soft_opt_out.csv", {phone: tags for phone, tags in rows.items() if phone not in (number(3), number(4))}
    )
    for index in (5, 6):
        made.text(number(index), "STOP")
    databases.keep()
    yield made
    made.store.close()


def both(provider: Provider, feed_name: str, content: str) -> tuple[Assessment | None, Assessment]:
    """What the rows that a file lists make of it, and what the whole list makes of it."""
    path = provider.folder / "file.csv"
    path.write_text(content)
    rules, source = rules_for(provider.customer, feed_name), Source(path, path.name, Evidence.assumed)
    reading = read_source(source, provider.customer, rules, None)
    with provider.store.read() as transaction:
        return assess_few(transaction, reading, source, rules), assess(transaction, reading, source, rules)


def effect(plan: Plan) -> tuple[object, ...]:
    """All that is written of a plan, and what its report says."""
    rows = (plan.after.keys, plan.after.status, plan.after.tag_set, plan.after.attrs, plan.after.feeds)
    columns = [column.tolist() for column in (*rows, *plan.events, plan.is_event, plan.refused)]
    return plan.version, columns, plan.changes


def assert_same(few: Assessment | None, whole: Assessment) -> None:
    assert few is not None
    assert [effect(plan) for plan in few.plans] == [effect(plan) for plan in whole.plans]
    assert few.sets.take_new() == whole.sets.take_new()
    assert (few.reasons, few.feed_bit, few.evidence) == (whole.reasons, whole.feed_bit, whole.evidence)


@pytest.mark.parametrize("mode", ["append", "append_tags"])
def test_the_rows_alone_tell_the_same_as_the_list(provider: Provider, mode: str) -> None:
    @given(files)
    def same(rows: dict[str, str]) -> None:
        assert_same(*both(provider, mode, csv(rows)))

    same()


def test_so_they_do_where_a_file_also_removes(provider: Provider) -> None:
    @given(files, st.lists(st.integers(0, 11).map(number), max_size=3))
    def same(rows: dict[str, str], removed: list[str]) -> None:
        lines = [",".join([phone, *filter(None, tags.split("|"))]) for phone, tags in rows.items()]
        lines += [f"-{phone}" for phone in removed]
        content = "".join(f"{line}\n" for line in lines)
        if content:
            assert_same(*both(provider, "preformatted", content))

    same()


@pytest.mark.parametrize("mode", ["soft_opt_out", "soft_opt_out_tags", "hard_opt_out"])
def test_they_do_not_tell_whom_a_file_omits(provider: Provider, mode: str) -> None:
    few, whole = both(provider, mode, csv(numbers(3)))
    assert few is None
    assert len(whole.state) == 11


def test_nor_do_they_where_omitted_numbers_lose_their_tags(acme: Provider) -> None:
    acme.configure({"clear": feed("append_tags", "clear", omitted_tags="clear")})
    few, _ = both(acme, "clear", csv(numbers(1)))
    assert few is None


def test_many_rows_are_read_with_all_the_others(acme: Provider) -> None:
    at_most, one_more = (both(acme, "append", csv(numbers(n)))[0] for n in (fewrows.FEW, fewrows.FEW + 1))
    assert at_most is not None
    assert one_more is None


def test_the_guard_is_asked_with_the_whole_list_where_its_shares_count(acme: Provider) -> None:
    """101 tags of 101 go: more than half of all, which the rows of the file could not know."""
    acme.process("append.csv", dict.fromkeys(numbers(101), "a") | dict.fromkeys(numbers(200, start=200), ""))
    few, whole = both(acme, "append_tags", csv(numbers(101)))
    assert few is None
    assert [reason.code for reason in whole.reasons] == ["tags_removed"]
    assert acme.process("append_tags.csv", numbers(101))["state"] == "held"


def test_up_to_the_floor_nobody_need_be_asked(acme: Provider) -> None:
    acme.process("append.csv", dict.fromkeys(numbers(100), "a"))
    assert_same(*both(acme, "append_tags", csv(numbers(100))))
    assert acme.process("append_tags.csv", numbers(100))["changes"]["tags_removed"] == 100


def test_removals_past_the_floor_are_weighed_against_the_whole_list(acme: Provider) -> None:
    acme.configure({}, preformatted={"minus": "opt_out"})
    acme.process("list.csv", "".join(f"{phone}\n" for phone in numbers(400)))
    few, whole = both(acme, "preformatted", "".join(f"-{phone}\n" for phone in numbers(101)))
    assert few is None
    assert [reason.code for reason in whole.reasons] == ["omitted"]


def test_tags_that_may_be_too_many_new_ones_are_compared_with_all_that_there_are(acme: Provider) -> None:
    acme.configure({})
    lines = [f"{phone},tag {index}\n" for index, phone in enumerate(numbers(MAX_UNKNOWN_TAGS + 1))]
    acme.process("known.csv", "".join(lines[:100]))
    few, whole = both(acme, "preformatted", "".join(lines))
    assert few is None
    assert not whole.reasons, "a hundred of them are known"
    assert both(acme, "preformatted", "".join(lines[1:]))[0] is not None


def test_sets_that_the_list_has_are_not_made_again(acme: Provider) -> None:
    """Of another number, which the file does not list."""
    acme.process("append.csv", {number(1): "a|b", number(2): "a"})
    acme.process("append.csv", {number(2): "b"})
    assert sorted(row["tags"] for row in acme.rows("tag_sets.all", list=1)) == ["a", "a;b", "b"]
    assert acme.list() == {number(1): ("opted_in", "a;b"), number(2): ("opted_in", "a;b")}


def test_the_keys_need_not_be_in_the_list(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    few, whole = both(provider, "append", csv(numbers(2)))
    assert_same(few, whole)
    assert few is not None
    assert np.array_equal(few.state.keys, [])
    provider.store.close()
