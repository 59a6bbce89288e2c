"""Inbound messages: when one is the same as before, and what no database takes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alp_daemon.services.addresses import inbound
from alp_daemon.services.addresses.inbound import RETRIES
from tests.services.provider import Provider, number

ONE = number(1)
AN_INSTANT = timedelta(seconds=10)


class TestAnIdThatComesAgain:
    """STOP as message 7, the keyword as message 8, and 7 once more."""

    def again(self, acme: Provider, after: timedelta) -> inbound.Answer:
        acme.text(ONE, "STOP", "7")
        acme.text(ONE, "ACME", "8")
        acme.tick(seconds=after.total_seconds())
        return acme.text(ONE, "STOP", "7")

    @pytest.mark.parametrize("after", [timedelta(minutes=5), RETRIES - AN_INSTANT])
    def test_a_late_delivery_does_not_undo_the_keyword(self, acme: Provider, after: timedelta) -> None:
        assert self.again(acme, after).intent == "opt_out"
        assert acme.statuses() == {ONE: "opted_in"}
        assert len(acme.history(ONE)) == 2

    @pytest.mark.parametrize("after", [RETRIES, timedelta(days=200)])
    def test_a_stop_of_a_gateway_that_counts_anew_is_done(self, acme: Provider, after: timedelta) -> None:
        assert self.again(acme, after).status == "opted_out"
        assert acme.statuses() == {ONE: "opted_out"}
        assert acme.history(ONE)[-1]["message"] == "7"

    def test_and_is_then_done_once(self, acme: Provider) -> None:
        first = self.again(acme, timedelta(days=200))
        acme.text(ONE, "ACME", "9")
        assert acme.text(ONE, "STOP", "7") == first
        assert acme.statuses() == {ONE: "opted_in"}

    def test_also_where_another_message_had_the_id_first(self, acme: Provider) -> None:
        acme.text(number(2), "Who is this?", "7")
        self.again(acme, timedelta(days=200))
        assert acme.statuses() == {ONE: "opted_out"}
        self.again(acme, timedelta(days=200))
        assert acme.statuses() == {ONE: "opted_out"}

    def test_both_are_kept(self, acme: Provider) -> None:
        for _ in range(3):
            acme.text(ONE, "Who is this?", "7")
            acme.tick(days=200)
        newest, *older = inbound.not_understood(acme.store, "acme", 9)
        assert newest["id"] == "7"
        assert [kept["id"] for kept in older] == [f"7~{kept['at']}" for kept in older]
        assert len(older) == 2


@pytest.mark.parametrize("text", ["STOP \ud83d", "\udce9 Stop", "Sto\0p"])
def test_a_sign_that_no_database_takes_loses_no_stop(acme: Provider, text: str) -> None:
    """A command line hands on bytes that are no UTF-8 as halves of surrogate pairs."""
    first = acme.text(ONE, text, "7\udcff")
    assert (first.intent, first.status) == ("opt_out", "opted_out")
    assert acme.text(ONE, text, "7\udcff") == first
    assert len(acme.history(ONE)) == 1


def test_what_is_no_sign_is_kept_as_one_that_says_so(acme: Provider) -> None:
    acme.text(ONE, "Who\0 is \ud83d this? \U0001f600", "7")
    (kept,) = inbound.not_understood(acme.store, "acme", 9)
    assert kept["text"] == "Who is \ufffd this? \U0001f600"
