"""ManageOptin commands and inbound messages: the file's rules on one number."""

from __future__ import annotations

import pytest

from alp_daemon.domain import phone
from alp_daemon.errors import Refused, UsageProblem
from alp_daemon.services.addresses import optin
from alp_daemon.services.addresses.codes import addressee
from alp_daemon.services.addresses.manage import manage
from alp_daemon.services.addresses.optin import Command, Sender
from tests.services.provider import Provider, number

ONE = number(1)
KEY = int(ONE.removeprefix("+"))


def bring(acme: Provider, status: str) -> None:
    """Puts the number into a status, with the tag ``a``."""
    if status != "absent":
        acme.process("append.csv", {ONE: "a"})
    if status == "suspended":
        acme.command("suspend", ONE)
    if status == "opted_out":
        acme.text(ONE, "STOP")


class TestCommands:
    @pytest.mark.parametrize(
        ("command", "status", "after", "changed"),
        [
            ("opt_in", "absent", "opted_in", True),
            ("opt_in", "opted_in", "opted_in", False),
            ("opt_in", "suspended", "opted_in", True),
            ("opt_out", "absent", "opted_out", True),
            ("opt_out", "opted_in", "opted_out", True),
            ("opt_out", "suspended", "opted_out", True),
            ("opt_out", "opted_out", "opted_out", False),
            ("suspend", "opted_in", "suspended", True),
            ("suspend", "suspended", "suspended", False),
            ("reactivate", "suspended", "opted_in", True),
            ("reactivate", "opted_in", "opted_in", False),
        ],
    )
    def test_what_each_does(self, acme: Provider, command: str, status: str, after: str, changed: bool) -> None:
        bring(acme, status)
        before = len(acme.history(ONE))
        standing = acme.command(command, ONE)
        assert (standing.status, standing.changed) == (after, changed)
        assert acme.statuses()[ONE] == after
        assert ("already" in standing.message) is not changed
        assert len(acme.history(ONE)) == before + 1, "what was true already is recorded too"

    @pytest.mark.parametrize(
        ("command", "status", "why"),
        [
            ("opt_in", "opted_out", "only its own message with the keyword ACME can lift that"),
            ("suspend", "absent", "it is not on the list"),
            ("suspend", "opted_out", "it is opted out"),
            ("reactivate", "absent", "opt it in instead"),
            ("reactivate", "opted_out", "only its own message with the keyword ACME can lift that"),
        ],
    )
    def test_what_is_refused(self, acme: Provider, command: str, status: str, why: str) -> None:
        bring(acme, status)
        before, events = acme.list(), acme.history(ONE)
        with pytest.raises(Refused) as refusal:
            acme.command(command, ONE)
        assert why in str(refusal.value)
        assert phone.mask(KEY) in str(refusal.value)
        assert ONE not in str(refusal.value)
        assert (acme.list(), acme.history(ONE)) == (before, events)

    def test_tags_come_with_an_opt_in_and_go_with_an_opt_out(self, acme: Provider) -> None:
        assert acme.command("opt_in", ONE, ["b", "a", "b"]).tags == ("a", "b")
        assert acme.command("opt_in", ONE, ["c"]).tags == ("a", "b", "c")
        assert acme.command("suspend", ONE, ["c", "x"]).tags == ("a", "b")
        assert acme.command("reactivate", ONE, ["d"]).tags == ("a", "b", "d")
        assert acme.command("opt_out", ONE).tags == ("a", "b", "d")
        assert acme.command("opt_out", ONE, ["d"]).tags == ("a", "b")

    def test_what_somebody_typed(self, acme: Provider) -> None:
        assert acme.command("opt_in", "(212) 555-0001").number == ONE
        with pytest.raises(UsageProblem, match="•••"):
            acme.command("opt_in", "212555000")
        with pytest.raises(UsageProblem, match="tag 'a;b'"):
            acme.command("opt_in", ONE, ["a;b"])

    @pytest.mark.parametrize(
        "sender", ["+15555550123", "(999) 555-1234", "+442079460000"]
    )  # unknown ranges, a landline
    def test_who_can_text_can_be_shown_and_taken_off(self, acme: Provider, sender: str) -> None:
        acme.text(sender, "ACME")
        acme.command("add_tags", sender, ["a"])
        assert acme.command("remove_tags", sender, ["a"]).tags == ()
        assert acme.command("suspend", sender).status == "suspended"
        assert acme.command("reactivate", sender).status == "opted_in"
        assert acme.command("opt_in", sender).status == "opted_in"
        assert acme.command("opt_out", sender).status == "opted_out"
        assert optin.status(acme.store, addressee(acme.customer), sender).status == "opted_out"

    @pytest.mark.parametrize(
        ("sender", "why"),
        [("+15555550123", "No such number"), ("(999) 555-1234", "No such number"), ("+442079460000", "no text")],
    )
    @pytest.mark.parametrize("command", ["opt_in", "reactivate"])
    def test_nobody_else_brings_such_a_number_onto_the_list(
        self, acme: Provider, command: str, sender: str, why: str
    ) -> None:
        with pytest.raises(UsageProblem, match=why):
            acme.command(command, sender)
        assert acme.list() == {}

    def test_a_call_of_many_goes_on_past_such_a_number(self, acme: Provider) -> None:
        commands = [Command("opt_in", "+15555550123"), Command("opt_in", ONE)]
        sender = Sender("Ann", "api", "api")
        refused, done = manage(acme.store, acme.settings, acme.customer, commands, sender, acme.tick()).answers
        assert isinstance(refused, UsageProblem)
        assert done.status == "opted_in"
        assert acme.statuses() == {ONE: "opted_in"}

    def test_a_revocation_by_letter_is_the_end_users(self, acme: Provider) -> None:
        bring(acme, "opted_in")
        acme.command("opt_out", ONE, source="end_user")
        event = acme.history(ONE)[-1]
        assert (event["source"], event["by"], event["status_after"]) == ("end_user", "Ann", "opted_out")


class TestMessages:
    @pytest.mark.parametrize("status", ["absent", "opted_in", "suspended", "opted_out"])
    def test_stop_opts_out_and_leaves_proof(self, acme: Provider, status: str) -> None:
        bring(acme, status)
        before = len(acme.history(ONE))
        answer = acme.text(ONE, "Stop. Thank you", "m1")
        assert (answer.intent, answer.status) == ("opt_out", "opted_out")
        assert "unsubscribed" in answer.reply
        event = acme.history(ONE)[-1]
        assert len(acme.history(ONE)) == before + 1
        assert (event["source"], event["message"], event["note"]) == ("end_user", "m1", "Stop. Thank you")

    @pytest.mark.parametrize("status", ["absent", "opted_in", "suspended", "opted_out"])
    def test_the_keyword_opts_in_from_any_status(self, acme: Provider, status: str) -> None:
        bring(acme, status)
        answer = acme.text(ONE, "acme please")
        assert (answer.intent, answer.status) == ("opt_in", "opted_in")
        assert acme.list()[ONE] == ("opted_in", "" if status == "absent" else "a")

    @pytest.mark.parametrize(("text", "intent"), [("HELP", "help"), ("When is my power back?", "other")])
    def test_other_texts_change_nothing(self, acme: Provider, text: str, intent: str) -> None:
        bring(acme, "suspended")
        answer = acme.text(ONE, text)
        assert (answer.intent, answer.status) == (intent, "suspended")
        assert bool(answer.reply) is (intent == "help")
        assert acme.statuses()[ONE] == "suspended"

    def test_a_message_is_done_once(self, acme: Provider) -> None:
        first = acme.text(ONE, "STOP", "m1")
        acme.text(ONE, "ACME", "m2")
        assert acme.text(ONE, "STOP", "m1") == first
        assert acme.statuses() == {ONE: "opted_in"}
        assert len(acme.history(ONE)) == 2

    def test_without_an_id_each_is_a_message(self, acme: Provider) -> None:
        acme.text(ONE, "STOP")
        acme.text(ONE, "STOP")
        assert len(acme.history(ONE)) == 2

    def test_what_nobody_understood_is_kept_for_a_person(self, acme: Provider) -> None:
        acme.text(ONE, "Who is this?", "m1")
        (kept,) = acme.rows("messages.others", customer="acme", limit=10)
        assert (kept["text"], kept["key"]) == ("Who is this?", KEY)

    def test_only_the_keyword_lifts_an_opt_out(self, acme: Provider) -> None:
        acme.text(ONE, "STOP")
        acme.process("append.csv", {ONE: "a"})
        acme.process("soft_opt_out_tags.csv", {ONE: "a"})
        assert acme.list() == {ONE: ("opted_out", "")}
        acme.text(ONE, "ACME")
        assert acme.statuses() == {ONE: "opted_in"}
