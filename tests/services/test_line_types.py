"""Line types that the operator loads decide what a file may list, and never keep anybody from leaving."""

from __future__ import annotations

from pathlib import Path

import pytest

from alp_daemon.errors import NotFound, Refused, UnusableFile, UsageProblem
from alp_daemon.files.csvrows import MAX_ROW
from alp_daemon.services.addresses import optin
from alp_daemon.services.addresses.codes import addressee
from alp_daemon.services.processing import line_types
from tests.services.provider import Provider, feed, number

LANDLINE, MOBILE, PORTED, UNKNOWN = (number(index) for index in (1, 5001, 2, 9001))
DATA = f"""number,type
{number(0)[:-4]}0,landline
{number(0)[:-4]}5,mobile
{PORTED},mobile
"""


def loaded(acme: Provider, content: str = DATA, *, may_be_empty: bool = False) -> int:
    path = acme.folder / "line-types.csv"
    path.write_text(content)
    return line_types.load(acme.store, path, may_be_empty=may_be_empty)


class TestFiles:
    def test_a_landline_is_a_reject_and_a_ported_number_is_not(self, acme: Provider) -> None:
        assert loaded(acme) == 3
        report = acme.process("append.csv", {LANDLINE: "", MOBILE: "", PORTED: "", UNKNOWN: ""})
        assert acme.statuses() == dict.fromkeys(sorted([MOBILE, PORTED, UNKNOWN]), "opted_in")
        assert report["rejects"] == [{"row": 2, "column": "Phone", "value": LANDLINE, "reason": "not_mobile"}]

    def test_what_is_not_known_is_refused_where_the_customer_says_so(self, acme: Provider) -> None:
        loaded(acme)
        acme.configure({"append": feed("append")}, line_types={"unknown": "reject"})
        acme.process("append.csv", {MOBILE: "", UNKNOWN: ""})
        assert acme.statuses() == {MOBILE: "opted_in"}

    def test_preformatted_files_too(self, acme: Provider) -> None:
        loaded(acme)
        acme.process("x.csv", f"{LANDLINE},board\n{MOBILE},board\n", folder="preformatted")
        assert acme.statuses() == {MOBILE: "opted_in"}

    def test_in_a_large_file_as_in_a_small_one(self, acme: Provider) -> None:
        loaded(acme)
        report = acme.process("append.csv", {number(index): "" for index in range(10_000)})
        assert (report["rows"]["listed"], report["rows"]["rejected"]) == (9_001, 999)


class TestOneNumber:
    def test_a_landline_cannot_be_opted_in(self, acme: Provider) -> None:
        loaded(acme)
        with pytest.raises(Refused, match="takes no text messages"):
            acme.command("opt_in", LANDLINE)

    def test_stop_is_heard_from_any_line(self, acme: Provider) -> None:
        loaded(acme)
        toll_free, not_known_yet = "+18005550199", "+19995550123"
        for sender in (LANDLINE, toll_free, not_known_yet):
            answer = acme.text(sender, "STOP")
            assert (answer.intent, answer.status) == ("opt_out", "opted_out")
        with pytest.raises(UsageProblem):
            acme.text("12345", "STOP")

    def test_an_operator_can_opt_out_a_toll_free_number(self, acme: Provider) -> None:
        acme.command("opt_out", "800-555-0199")
        assert acme.statuses() == {"+18005550199": "opted_out"}
        assert optin.status(acme.store, addressee(acme.customer), "800-555-0199").status == "opted_out"


class TestLoading:
    def test_all_or_nothing(self, acme: Provider) -> None:
        loaded(acme)
        with pytest.raises(UnusableFile, match=r"nothing was loaded\nline-types\.csv:2: expected a line type"):
            loaded(acme, f"{MOBILE},mobile\n{PORTED},bird\n")
        acme.process("append.csv", {LANDLINE: ""})
        assert acme.statuses() == {}

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("", "it has no row"),
            ("\n\n", "it has no row"),
            ("number,type\n", "it has no row"),
            ("number;type\n1212555;mobile\n", r"line-types\.csv:2: expected a number or prefix, a comma"),
            ("1212555;mobile\n", r"line-types\.csv:1: expected a number or prefix, a comma"),
            (f"{MOBILE},mobile\n\n{PORTED}\n", r"line-types\.csv:3: expected a number or prefix, a comma"),
            (f"{MOBILE},bird\n{PORTED},mobile\n", r"line-types\.csv:1: expected a line type"),
        ],
    )
    def test_what_cannot_be_meant_leaves_what_was_loaded(self, acme: Provider, content: str, said: str) -> None:
        loaded(acme)
        with pytest.raises(UnusableFile, match=said):
            loaded(acme, content)
        acme.process("append.csv", {LANDLINE: ""})
        assert acme.statuses() == {}

    def test_none_at_all_is_said(self, acme: Provider) -> None:
        loaded(acme)
        assert loaded(acme, "number,type\n", may_be_empty=True) == 0
        acme.process("append.csv", {LANDLINE: ""})
        assert acme.statuses() == {LANDLINE: "opted_in"}

    def test_blank_lines_are_no_rows(self, acme: Provider) -> None:
        assert loaded(acme, f"number,type\n\n{MOBILE},mobile\n\n") == 1

    def test_a_second_load_replaces_the_first(self, acme: Provider) -> None:
        loaded(acme)
        loaded(acme, f"{MOBILE},landline\n")
        acme.process("append.csv", {LANDLINE: "", MOBILE: ""})
        assert acme.statuses() == {LANDLINE: "opted_in"}

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"12125550123,m\xf6bile\n", "is not UTF-8 .* at byte 13"),
            (b'"' + b"x" * (MAX_ROW + 1) + b'",mobile\n', "is no CSV file .field larger than field limit"),
        ],
    )
    def test_what_is_no_such_file(self, acme: Provider, content: bytes, said: str) -> None:
        path = acme.folder / "types.csv"
        path.write_bytes(content)
        with pytest.raises(UnusableFile, match=f"types.csv: {said}"):
            line_types.load(acme.store, path)

    def test_a_file_that_is_not_there(self, acme: Provider) -> None:
        with pytest.raises(NotFound):
            line_types.load(acme.store, Path("/nowhere.csv"))
