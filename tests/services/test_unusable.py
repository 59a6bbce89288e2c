"""A number in a row that cannot be used is in the file: nobody is taken off the list for a stray delimiter."""

from __future__ import annotations

import pytest

from alp_daemon.services.processing import line_types
from tests.services.provider import Provider, csv, feed, number, numbers

REMOVING = {"soft_opt_out": "suspended", "soft_opt_out_tags": "suspended", "hard_opt_out": "opted_out"}
SEVEN = number(7)


def file(row: str) -> str:
    """A file of thirty, in which this row stands in place of the seventh."""
    return csv(numbers(30)).replace(f"{SEVEN},\n", row)


@pytest.mark.parametrize("mode", REMOVING)
@pytest.mark.parametrize(
    "row",
    [f"{SEVEN},a,b\n", f"{SEVEN}\n", f",{SEVEN},a\n", f"{SEVEN} x12,\n", f"{SEVEN},,b\n{number(8)},,\n"],
    ids=["a cell too many", "a cell too few", "moved", "extension", "several"],
)
def test_who_stands_in_a_refused_row_stays(acme: Provider, mode: str, row: str) -> None:
    acme.process("append.csv", numbers(30))
    report = acme.process(f"{mode}.csv", file(row))
    assert (report["state"], report["rows"]["rejected"]) == ("applied", 1)
    assert set(acme.statuses().values()) == {"opted_in"}
    assert len(acme.history(SEVEN)) == 1, "nothing is written about it"


@pytest.mark.parametrize("mode", REMOVING)
@pytest.mark.parametrize("row", ["", ",\n", "n/a,\n", f",{SEVEN}\n"], ids=["omitted", "blank", "words", "elsewhere"])
def test_who_does_not_is_omitted(acme: Provider, mode: str, row: str) -> None:
    acme.process("append.csv", numbers(30))
    acme.process(f"{mode}.csv", file(row))
    assert acme.statuses() == dict.fromkeys(numbers(30), "opted_in") | {SEVEN: REMOVING[mode]}


@pytest.mark.parametrize("mode", REMOVING)
def test_a_refused_row_neither_takes_in_nor_brings_back(acme: Provider, mode: str) -> None:
    acme.process("append.csv", {phone: "" for phone in numbers(30) if phone != SEVEN})
    acme.process(f"{mode}.csv", file(f"{SEVEN},a,b\n"))
    assert SEVEN not in acme.statuses()
    acme.text(SEVEN, "STOP")
    acme.process(f"{mode}.csv", file(f"{SEVEN},a,b\n"))
    assert acme.statuses()[SEVEN] == "opted_out"


def test_a_line_that_is_now_known_to_take_no_texts_is_not_opted_out_for_it(acme: Provider) -> None:
    acme.process("append.csv", numbers(30))
    types = acme.folder / "types.csv"
    types.write_text(f"{SEVEN},landline\n")
    line_types.load(acme.store, types)
    report = acme.process("hard_opt_out.csv", numbers(30))
    assert report["rejects_by_reason"] == {"not_mobile": 1}
    assert acme.statuses()[SEVEN] == "opted_in"


def test_tags_of_the_omitted_are_not_cleared_for_it(acme: Provider) -> None:
    acme.configure({"list": feed("append_tags", "list", omitted_tags="clear")})
    acme.approve("list")
    acme.process("list.csv", dict.fromkeys(numbers(30), "a"))
    acme.process("list.csv", csv(dict.fromkeys(numbers(20), "a")).replace(f"{SEVEN},a", f"{SEVEN},a,b"))
    assert [acme.list()[number(n)][1] for n in (6, 7, 25)] == ["a", "a", ""]


@pytest.mark.parametrize("scope", ["list", "feed"])
def test_the_same_file_again_does_nothing_again(acme: Provider, scope: str) -> None:
    acme.configure({"list": feed("hard_opt_out", "list", omitted_scope=scope)})
    acme.approve("list")
    acme.process("list.csv", numbers(30))
    for _ in range(3):
        report = acme.process("list.csv", file(f"{SEVEN},a,b\n"))
        assert (report["changes"]["opted_out"], report["rows"]["rejected"]) == (0, 1)
    assert set(acme.statuses().values()) == {"opted_in"}
