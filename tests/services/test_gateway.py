"""Texts to a code that customers share: whose a STOP is, whatever state the customers' files are in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alp_daemon.daemon.parts import assemble
from alp_daemon.daemon.rounds import look_at_customers
from alp_daemon.errors import NotFound, Unavailable, UsageProblem
from alp_daemon.registry import MISSING_TOLERANCE, Registry
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

    def write(self, customer: str, keyword: str, codes: tuple[str, ...] = (CODE,), region: str = "US") -> None:
        said = {"name": customer.title(), "keyword": keyword, "codes": codes, "feeds": {}, "region": region}
        self.path(customer).write_text(json.dumps(said))

    def damage(self, customer: str) -> None:
        self.path(customer).write_text("name: [")

    def start(self) -> None:
        """As the daemon does, which knows nothing then but its database and the folder."""
        parts = assemble(self.acme.settings, "worker")
        look_at_customers(parts, self.acme.tick())
        self.registry = parts.registry
        parts.store.close()

    def say(self, text: str, id_: str | None = None, code: str = CODE, sender: str = JOE) -> gateway.GatewayAnswer:
        received = Text(sender, text, id_)
        return gateway.message(self.acme.store, self.registry, code, received, self.acme.tick())

    def join(self, *keywords: str) -> None:
        for keyword in keywords:
            self.say(keyword)

    def status(self, customer: str, of: str = JOE) -> str:
        stories = history.of_number(self.acme.store, int(of.removeprefix("+")), [customer])
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

    def test_also_whoever_texts_its_sender_meanwhile(self, unread: Code) -> None:
        with pytest.raises(Unavailable):
            unread.say("Stop it, Acme", "m1")
        unread.join("ACME")
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


class TestACodeThatNobodyHas:
    """Somebody forgot it in a customer's file: its sender has texted one of us."""

    WRONG = "12345"

    def test_a_stop_is_for_every_list_that_has_its_sender(self, code: Code) -> None:
        code.write("school", "SCHOOL", ())
        code.start()
        code.join("ACME")
        code.acme.command("suspend", JOE)
        told = code.say("Stop. Thank you", "m1", self.WRONG)
        assert told.statuses == {"acme": "opted_out"}
        assert told.reply.startswith("Acme: you are unsubscribed")
        assert [row["text"] for row in code.acme.rows("messages.get", customer="acme", id="m1")] == ["Stop. Thank you"]

    def test_one_that_names_whoever_texts_its_sender_is_for_them(self, code: Code) -> None:
        code.join("ACME", "NEWS")
        for _ in range(2):
            assert code.say("STOP ACME", "m1", self.WRONG).statuses == {"acme": "opted_out"}
        assert code.statuses == ("opted_out", "opted_in")

    def test_one_that_names_somebody_else_is_for_both(self, code: Code) -> None:
        """As with a code that is known: a keyword is a word, too."""
        code.join("ACME")
        assert set(code.say("Stop the news", "m1", self.WRONG).statuses) == {"acme", "beta"}

    def test_one_that_names_somebody_is_noted_also_of_a_number_never_seen(self, code: Code) -> None:
        assert code.say("STOP ACME", "m1", self.WRONG).statuses == {"acme": "opted_out"}

    def test_delivered_twice_it_undoes_no_keyword_that_came_between(self, code: Code) -> None:
        code.join("ACME")
        first = code.say("STOP", "m1", self.WRONG)
        code.join("ACME")
        assert code.say("STOP", "m1", self.WRONG) == first
        assert code.status("acme") == "opted_in"

    def test_one_for_nobody_is_asked_for_again(self, code: Code) -> None:
        code.join("ACME")
        with pytest.raises(Unavailable, match=r"no customer has the code '12345'.*add it to codes"):
            code.say("STOP", "m1", self.WRONG, sender=number(2))
        assert code.statuses == ("opted_in", "absent")
        code.write("beta", "NEWS", (CODE, self.WRONG))
        code.start()
        assert code.say("STOP", "m1", self.WRONG, sender=number(2)).statuses == {"beta": "opted_out"}

    @pytest.mark.parametrize("text", ["ACME", "HELP", "Who is this?"])
    def test_nothing_else_is_done(self, code: Code, text: str) -> None:
        """Nobody opts in by a code that they were never told."""
        with pytest.raises(NotFound, match="add it to codes"):
            code.say(text, "m1", self.WRONG)
        assert code.statuses == ("absent", "absent")

    def test_a_national_number_is_read_for_each_list_by_its_region(self, code: Code) -> None:
        code.write("casa", "AGUA", region="CO")
        code.start()
        code.say("AGUA", sender="+573015550123")
        told = code.say("STOP", code=self.WRONG, sender="3015550123")
        assert told.statuses == {"casa": "opted_out"}

    @pytest.mark.parametrize("text", ["STOP", "ACME"])
    def test_each_is_in_the_log(self, code: Code, text: str) -> None:
        code.join("ACME")
        with capture_logs() as lines, suppress(NotFound):
            code.say(text, "m7", self.WRONG)
        told = {"event": "message_to_unknown_code", "log_level": "warning", "code": self.WRONG, "message": "m7"}
        assert {**told, "is_stop": text == "STOP"} in lines


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

    def test_once_more_after_a_stop_for_all_is_about_who_texts_since(self, code: Code) -> None:
        code.join("ACME")
        code.say("STOP", "m1")
        code.join("ACME")
        assert set(code.say("Stop the news", "m2").statuses) == {"acme", "beta"}
        assert code.statuses == ("opted_out", "opted_out")

    def test_also_where_it_was_named_and_those_it_named_did_not_text(self, code: Code) -> None:
        for id_ in ("m1", "m2"):
            code.join("ACME")
            assert set(code.say("Stop the news", id_).statuses) == {"acme", "beta"}

    def test_also_where_one_was_for_it_alone_before_that(self, code: Code) -> None:
        code.join("ACME", "NEWS")
        for text in ("STOP NEWS", "STOP"):
            code.say(text)
        code.join("ACME")
        assert set(code.say("Stop the news").statuses) == {"acme", "beta"}

    def test_delivered_late_goes_where_it_went(self, code: Code) -> None:
        """And undoes no keyword that came since."""
        code.join("ACME", "NEWS")
        first = code.say("STOP NEWS", "m1")
        code.say("STOP", "m2")
        code.join("ACME")
        assert code.say("STOP NEWS", "m1") == first
        assert code.status("acme") == "opted_in"

    def test_one_that_only_has_the_id_of_another_is_not_that(self, code: Code) -> None:
        code.join("ACME", "NEWS")
        code.say("Please stop", "m1")
        code.join("NEWS")
        assert set(code.say("STOP NEWS", "m1").statuses) == {"beta"}


class TestWhoHasLeft:
    """Beta's file is gone. Its code, its keyword and its list are still known."""

    @pytest.fixture(params=["started since", "still running"])
    def left(self, request: pytest.FixtureRequest, code: Code) -> Code:
        code.join("ACME", "NEWS")
        code.path("beta").unlink()
        if request.param == "started since":
            code.start()
        else:
            code.registry.reload(code.acme.tick())
            code.acme.tick(seconds=MISSING_TOLERANCE.total_seconds())
        return code

    def test_a_stop_that_names_nobody_else_is_for_all(self, left: Code) -> None:
        assert set(left.say("Stop the news").statuses.values()) == {"opted_out"}
        assert left.statuses == ("opted_out", "opted_out")

    def test_however_often_it_is_said(self, left: Code) -> None:
        for id_ in ("m1", "m2", "m2"):
            left.join("ACME")
            assert set(left.say("Stop the news", id_).statuses) == {"acme", "beta"}

    def test_one_that_names_another_too_is_noted_for_both(self, left: Code) -> None:
        left.write("school", "SCHOOL")
        left.start()
        left.join("SCHOOL")
        assert set(left.say("Stop news and school").statuses) == {"beta", "school"}
        assert left.statuses == ("opted_in", "opted_out")

    def test_one_that_names_another_is_not_for_it(self, left: Code) -> None:
        assert left.say("Stop Acme").statuses == {"acme": "opted_out"}
        assert left.status("beta") == "opted_in"

    def test_but_a_file_that_is_being_saved_is_there(self, code: Code) -> None:
        code.join("ACME", "NEWS")
        code.path("beta").unlink()
        code.registry.reload(code.acme.tick())
        assert code.say("Stop the news").statuses == {"beta": "opted_out"}


class TestRegions:
    """Acme is of the United States, Casa of Colombia. A gateway may write numbers as they are dialled at home."""

    AT_HOME = "3015550123"
    MARYLAND, BOGOTA = "+13015550123", "+573015550123"

    @pytest.fixture
    def code(self, code: Code) -> Code:
        code.write("beta", "NEWS", ())
        code.write("casa", "AGUA", region="CO")
        code.start()
        for sender in (self.MARYLAND, self.BOGOTA):
            code.say("ACME", sender=sender)
            code.say("AGUA", sender=sender)
        return code

    def statuses(self, code: Code, number: str) -> tuple[str, str]:
        return code.status("acme", number), code.status("casa", number)

    @pytest.mark.parametrize("left", [True, False])
    def test_each_reads_a_number_by_its_own(self, code: Code, left: bool) -> None:
        if left:
            code.path("casa").unlink()
            code.start()
        assert set(code.say("STOP", sender=self.AT_HOME).statuses.values()) == {"opted_out"}
        assert self.statuses(code, self.MARYLAND) == ("opted_out", "opted_in")
        assert self.statuses(code, self.BOGOTA) == ("opted_in", "opted_out")

    @pytest.mark.parametrize(
        ("sender", "number"),
        [
            ("+573015550123", "+573015550123"),
            ("573015550123", "+573015550123"),
            ("+19995551234", "+19995551234"),
            ("+57 999 555 1234", "+579995551234"),
            ("3005550123", "+573005550123"),  # which is no number in the United States
            ("2125550123", "+12125550123"),  # nor is this one in Colombia
        ],
    )
    def test_what_can_be_one_number_only_is_that_for_all(self, code: Code, sender: str, number: str) -> None:
        code.say("STOP", sender=sender)
        assert self.statuses(code, number) == ("opted_out", "opted_out")

    def test_a_stop_that_names_somebody_is_about_the_number_that_it_texts(self, code: Code) -> None:
        code.say("STOP ACME", "m0", sender=self.BOGOTA)
        for id_ in ("m1", "m1", "m2"):
            assert code.say("Stop agua", id_, sender=self.AT_HOME).statuses == {"casa": "opted_out"}
        assert self.statuses(code, self.MARYLAND) == ("opted_in", "opted_in")

    def test_for_whom_it_is_doubtful_it_is_not_done(self, code: Code) -> None:
        code.write("iceland", "FISH", region="IS")
        code.start()
        assert set(code.say("STOP", sender=self.AT_HOME).statuses) == {"acme", "casa"}
        assert set(code.say("STOP", sender=self.MARYLAND).statuses) == {"acme", "casa", "iceland"}

    def test_what_is_doubtful_is_the_number_that_the_list_has(self, code: Code) -> None:
        code.write("iceland", "FISH", region="IS")
        code.start()
        code.say("FISH", sender=self.BOGOTA)
        assert set(code.say("STOP", "m1", sender=self.AT_HOME).statuses) == {"acme", "casa", "iceland"}
        assert code.status("iceland", self.BOGOTA) == "opted_out"
        code.say("FISH", sender=self.MARYLAND)
        assert set(code.say("STOP", "m2", sender=self.AT_HOME).statuses) == {"acme", "casa"}
        assert code.status("iceland", self.MARYLAND) == "opted_in"

    def test_what_nobody_can_read_is_refused(self, code: Code) -> None:
        with pytest.raises(UsageProblem, match="No such number"):
            code.say("STOP", sender="55512")


def test_a_stop_comes_again_long_after(code: Code) -> None:
    code.join("ACME", "NEWS")
    code.say("STOP", "7")
    code.join("ACME")
    code.acme.tick(seconds=RETRIES.total_seconds() + 10)
    assert code.say("STOP", "7").statuses["acme"] == "opted_out"
    assert code.status("acme") == "opted_out"
