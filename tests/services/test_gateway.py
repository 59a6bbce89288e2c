"""Texts to a code that customers share: whose a STOP is, whatever state the customers' files are in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from alp_daemon.daemon.parts import assemble
from alp_daemon.daemon.rounds import look_at_customers
from alp_daemon.errors import NotFound, Unavailable
from alp_daemon.registry import Registry
from alp_daemon.services.addresses import gateway, history
from alp_daemon.services.addresses.inbound import RETRIES, Text
from tests.services.provider import Provider, number

CODE = "55512"
JOE = number(1)


class Code:
    """Customers who share a code, and a daemon that may be started anew."""

    def __init__(self, acme: Provider) -> None:
        self.acme = acme
        self.folder = acme.folder / "customers"
        for path in self.folder.iterdir():
            path.unlink()
        self.write("acme", "ACME")
        self.write("beta", "NEWS")
        self.registry = Registry(self.folder)
        self.start()

    def read(self) -> None:
        """As a command does, which notes nothing."""
        self.registry = Registry(self.folder)
        self.registry.reload(self.acme.tick())

    def path(self, customer: str) -> Path:
        return self.folder / f"{customer}.yaml"

    def write(self, customer: str, keyword: str, codes: tuple[str, ...] = (CODE,)) -> None:
        said = {"name": customer.title(), "keyword": keyword, "codes": codes, "feeds": {}}
        self.path(customer).write_text(json.dumps(said))

    def damage(self, customer: str) -> None:
        self.path(customer).write_text("name: [")

    def start(self) -> None:
        """As the daemon does, which knows nothing then but its database and the folder."""
        parts = assemble(self.acme.settings, "worker")
        look_at_customers(parts, self.acme.tick())
        self.registry = parts.registry
        parts.store.close()

    def say(self, text: str, id_: str | None = None, code: str = CODE) -> gateway.GatewayAnswer:
        received = Text(JOE, text, id_)
        return gateway.message(self.acme.store, self.registry, code, received, self.acme.tick())

    def join(self, *keywords: str) -> None:
        for keyword in keywords:
            self.say(keyword)

    def status(self, customer: str) -> str:
        stories = history.of_number(self.acme.store, int(JOE.removeprefix("+")), [customer])
        return stories[0]["status"] if stories else "absent"

    @property
    def statuses(self) -> tuple[str, str]:
        """Joe's at acme and at beta."""
        return self.status("acme"), self.status("beta")


@pytest.fixture
def code(acme: Provider) -> Iterator[Code]:
    return Code(acme)


class TestAFileThatCannotBeUsed:
    def test_a_stop_reaches_whose_file_was_broken_when_the_daemon_started(self, code: Code) -> None:
        code.join("ACME", "NEWS")
        code.damage("acme")
        code.start()
        told = code.say("STOP", "m1")
        assert told.statuses == {"acme": "opted_out", "beta": "opted_out"}
        assert told.reply.startswith("Acme and Beta: you are unsubscribed")
        assert code.statuses == ("opted_out", "opted_out")

    def test_as_do_its_keyword_and_a_stop_that_names_it(self, code: Code) -> None:
        code.damage("acme")
        code.start()
        assert code.say("Acme, please").statuses == {"acme": "opted_in"}
        code.join("NEWS")
        assert code.say("Stop Acme").statuses == {"acme": "opted_out"}
        assert code.statuses == ("opted_out", "opted_in")

    def test_and_whom_this_node_has_not_read_yet(self, code: Code) -> None:
        code.write("school", "SCHOOL")
        knew_not = code.registry
        code.start()
        code.join("SCHOOL")
        code.registry = knew_not
        assert code.say("STOP").statuses["school"] == "opted_out"

    def test_also_where_nobody_else_has_the_code(self, code: Code) -> None:
        code.write("school", "SCHOOL", ("777",))
        code.start()
        code.damage("school")
        code.start()
        assert code.say("STOP", code="777").statuses == {"school": "opted_out"}

    def test_a_sound_file_without_the_code_gives_it_up(self, code: Code) -> None:
        code.join("ACME")
        code.write("acme", "ACME", ())
        code.start()
        assert code.say("STOP").statuses == {"beta": "opted_out"}
        code.damage("acme")
        code.start()
        assert code.say("STOP").statuses == {"beta": "opted_out"}
        assert code.status("acme") == "opted_in"

    def test_what_was_read_last_is_remembered(self, code: Code) -> None:
        code.write("acme", "WATER", ("777",))
        code.start()
        code.damage("acme")
        code.start()
        assert code.say("WATER", code="+777").statuses == {"acme": "opted_in"}
        with pytest.raises(NotFound):
            code.say("STOP", code="888")


class TestCodesThatNobodyKnows:
    """A release does not take a file that the one before took, and did not note."""

    @pytest.fixture
    def unread(self, code: Code) -> Code:
        """School has Joe on its list, a file that is broken, and was never noted. So has a draft, but for the list."""
        code.join("NEWS")
        code.write("school", "SCHOOL")
        code.read()
        code.join("SCHOOL")
        code.damage("school")
        code.damage("draft")
        code.start()
        return code

    def mend(self, code: Code) -> None:
        code.write("school", "SCHOOL")
        code.start()

    def test_a_stop_is_done_as_far_as_it_goes_and_asked_for_again(self, unread: Code) -> None:
        with pytest.raises(Unavailable, match="may be for school, whose file cannot be used"):
            unread.say("STOP", "m1")
        assert (unread.status("beta"), unread.status("school")) == ("opted_out", "opted_in")
        self.mend(unread)
        assert set(unread.say("STOP", "m1").statuses.values()) == {"opted_out"}
        assert unread.status("school") == "opted_out"

    def test_also_one_that_names_somebody_who_does_not_text_its_sender(self, unread: Code) -> None:
        with pytest.raises(Unavailable):
            unread.say("Stop it, Acme", "m1")
        self.mend(unread)
        assert set(unread.say("Stop it, Acme", "m1").statuses) == {"acme", "beta", "school"}
        assert unread.status("school") == "opted_out"

    def test_also_where_only_they_can_have_the_code(self, unread: Code) -> None:
        with pytest.raises(Unavailable):
            unread.say("STOP", "m1", code="777")

    def test_but_not_one_for_somebody_who_is_known(self, unread: Code) -> None:
        assert unread.say("Stop the news").statuses == {"beta": "opted_out"}

    def test_nor_because_of_a_draft_that_has_no_list(self, code: Code) -> None:
        code.damage("draft")
        code.start()
        assert code.say("STOP").intent == "opt_out"


class TestAStopThatNamesSomebody:
    def test_is_for_those_it_names_where_they_text_the_sender(self, code: Code) -> None:
        code.join("ACME", "NEWS")
        assert code.say("Stop the news").statuses == {"beta": "opted_out"}
        assert code.status("acme") == "opted_in"

    @pytest.mark.parametrize("known", [True, False])
    def test_is_for_all_where_they_do_not(self, code: Code, known: bool) -> None:
        code.join("ACME")
        if known:
            code.join("NEWS")
            code.say("Stop the news")
            code.acme.tick(hours=100)
        told = code.say("Stop the news", "m2")
        assert told.statuses == {"acme": "opted_out", "beta": "opted_out"}
        assert told.reply.startswith("Acme and Beta: you are unsubscribed")
        assert code.statuses == ("opted_out", "opted_out")

    @pytest.mark.parametrize("second", ["m1", "m2"])
    def test_said_or_delivered_twice_goes_where_it_went(self, code: Code, second: str) -> None:
        code.join("ACME", "NEWS")
        first = code.say("STOP NEWS", "m1")
        assert code.say("STOP NEWS", second) == first
        assert code.status("acme") == "opted_in"

    def test_delivered_twice_is_answered_alike_where_it_was_for_all(self, code: Code) -> None:
        code.join("ACME")
        first = code.say("Stop the news", "m1")
        assert code.say("Stop the news", "m1") == first
        assert set(first.statuses) == {"acme", "beta"}

    def test_a_keyword_is_for_whom_it_names_all_the_same(self, code: Code) -> None:
        code.join("ACME")
        assert code.say("NEWS").statuses == {"beta": "opted_in"}


def test_a_stop_comes_again_long_after(code: Code) -> None:
    code.join("ACME", "NEWS")
    code.say("STOP", "7")
    code.join("ACME")
    code.acme.tick(seconds=RETRIES.total_seconds() + 10)
    assert code.say("STOP", "7").statuses["acme"] == "opted_out"
    assert code.status("acme") == "opted_out"
