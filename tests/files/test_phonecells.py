"""Which way a process takes to its verdicts; that both ways say the same is a law of its own."""

from __future__ import annotations

import pytest

from alp_daemon.domain import nanp
from alp_daemon.files import phonecells
from alp_daemon.files.phonecells import PhoneCells

TEXTS = ["(212) 555-0123", "212.555.0124", "12"]


def test_one_that_has_the_table_looks_up_the_fewest_numbers() -> None:
    nanp.table()
    cells = PhoneCells("US")
    assert cells.verdicts(TEXTS)[:2].tolist() == [12125550123, 12125550124]
    assert cells.verdict.cache_info().misses == 1, "what is no simple number is parsed"


def test_one_that_has_not_does_not_make_it_for_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phonecells, "TABLE_PAYS_FROM", len(TEXTS) + 1)
    nanp.table.cache_clear()
    cells = PhoneCells("US")
    assert cells.verdicts(TEXTS)[0] == 12125550123
    assert not nanp.is_made()
    assert cells.verdicts([*TEXTS, "2125550125"])[3] == 12125550125
    assert nanp.is_made()


def test_elsewhere_the_table_says_nothing() -> None:
    nanp.table()
    assert not PhoneCells("GB").table_pays(10**6)
    assert PhoneCells("CA").table_pays(1)
