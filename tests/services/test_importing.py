"""Go-live: an existing list with its opt-outs, where an opt-out on either side wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from alp_daemon.customers import load_dir
from alp_daemon.errors import NotFound, UnusableFile
from alp_daemon.services.addresses import importing
from alp_daemon.services.addresses.importing import Imported
from alp_daemon.services.operations import doctor
from tests.services.provider import Provider, number, numbers


def import_rows(acme: Provider, *rows: str, header: str = "number,status,tags") -> Imported:
    path = acme.folder / "old.csv"
    path.write_text("\n".join([header, *rows, ""]))
    return importing.import_list(acme.store, acme.customer, path, "Ann", acme.tick())


def asks_for_an_import(acme: Provider) -> bool:
    findings = doctor.examine(acme.store, acme.settings, load_dir(acme.settings.customers_dir), acme.now)
    return any("nobody brought its earlier opt-outs" in finding.message for finding in findings)


@pytest.mark.parametrize(
    ("ours", "theirs", "after"),
    [
        ("absent", "opted_in", "opted_in"),
        ("absent", "suspended", "suspended"),
        ("absent", "opted_out", "opted_out"),
        ("opted_in", "opted_in", "opted_in"),
        ("opted_in", "suspended", "suspended"),
        ("opted_in", "opted_out", "opted_out"),
        ("suspended", "opted_out", "opted_out"),
        ("opted_out", "opted_in", "opted_out"),
        ("opted_out", "suspended", "opted_out"),
        ("opted_out", "opted_out", "opted_out"),
    ],
)
def test_an_opt_out_on_either_side_wins(acme: Provider, ours: str, theirs: str, after: str) -> None:
    if ours != "absent":
        acme.command("opt_in", number(1))
    if ours == "suspended":
        acme.command("suspend", number(1))
    if ours == "opted_out":
        acme.text(number(1), "STOP")
    import_rows(acme, f"{number(1)},{theirs},")
    assert acme.statuses() == {number(1): after}


def test_what_export_writes_can_be_imported(acme: Provider) -> None:
    acme.process("append.csv", {number(1): "a|b", number(2): "", number(3): "c"})
    acme.command("suspend", number(2))
    acme.command("opt_out", number(3))
    before = acme.list()
    exported = (acme.folder / "export.csv").read_text().splitlines()
    assert import_rows(acme, *exported[1:], header=exported[0]).changes.unchanged == 2
    assert acme.list() == before


def test_within_the_file_too(acme: Provider) -> None:
    import_rows(acme, f"{number(1)},opted_out,", f"{number(1)},opted_in,a")
    assert acme.list() == {number(1): ("opted_out", "a")}


def test_imported_opt_outs_hold_against_files(acme: Provider) -> None:
    import_rows(acme, f"{number(1)},opted_out,")
    acme.process("append.csv", numbers(3))
    assert acme.statuses()[number(1)] == "opted_out"


def test_where_the_consent_came_from_is_in_the_history(acme: Provider) -> None:
    header = "number,status,tags,source,consent_date"
    import_rows(acme, f"{number(1)},opted_in,a,web form,2019-05-04", f"{number(2)},opted_in,,,", header=header)
    (event,) = acme.history(number(1))
    assert (event["source"], event["by"], event["note"]) == ("import", "Ann", "source: web form; consent: 2019-05-04")
    assert acme.history(number(2))[0]["note"] == ""


def test_also_of_a_number_that_stood_so_already(acme: Provider) -> None:
    acme.process("append.csv", numbers(1))
    header = "number,status,tags,source,consent_date"
    import_rows(acme, f"{number(0)},opted_in,,,2019-05-04", header=header)
    assert [event["note"] for event in acme.history(number(0))] == ["", "consent: 2019-05-04"]


def test_rejects_say_row_column_value_and_reason(acme: Provider) -> None:
    header = "number,status,tags,consent_date"
    imported = import_rows(
        acme,
        "bad,opted_in,,",
        ",,,",
        f"{number(2)},opted_in,{'x' * 76},",
        f"{number(3)},opted_in,,yesterday",
        f"{number(4)},opted_in,,",
        header=header,
    )
    assert [(each.row, each.column, each.reason) for each in imported.rejects.kept] == [
        (2, "number", "not_a_number"),
        (3, "status", "unknown_status"),
        (4, "tags", "bad_tag"),
        (5, "consent_date", "bad_date"),
    ]
    assert (imported.read, imported.rejects.total, imported.changes.opted_in) == (5, 4, 1)
    assert acme.statuses() == {number(4): "opted_in"}


@pytest.mark.parametrize("word", ["Opted Out", "opted-out", "STOP", "OPTED_OUT", "unsubscribed", "absent", ""])
def test_a_status_that_nobody_knows_refuses_the_whole_file(acme: Provider, word: str) -> None:
    """Were its row left out alone, the next file would opt in who had opted out."""
    acme.process("append.csv", numbers(1))
    before = acme.list()
    with pytest.raises(UnusableFile) as refused:
        import_rows(acme, f"{number(0)},opted_out,", f"{number(1)},{word},", "bad,opted_in,")
    assert refused.value.code == "unknown_status"
    assert f"row 3 {word!r}; expected one of opted_in, suspended, opted_out." in str(refused.value)
    assert acme.list() == before
    assert asks_for_an_import(acme)
    import_rows(acme, f"{number(0)},opted_out,", f"{number(1)}, opted_out ,", "bad,opted_in,")
    assert set(acme.statuses().values()) == {"opted_out"}
    assert not asks_for_an_import(acme)


def test_the_first_of_many_are_named(acme: Provider) -> None:
    with pytest.raises(UnusableFile) as refused:
        import_rows(acme, *(f"{number(index)},+1212555{index:04}," for index in range(12)))
    assert "row 2 '+1212•••0000', row 3 " in str(refused.value)
    assert "row 11 '+1212•••0009' and 2 more; expected" in str(refused.value)


def test_an_opt_out_stands_whatever_else_is_wrong_with_its_row(acme: Provider) -> None:
    header = "number,status,tags,consent_date"
    imported = import_rows(
        acme,
        f'{number(1)},opted_out,"a,b;c",',
        f"{number(2)},opted_out,,05/04/2019",
        f'{number(3)},opted_in,"a,b",05/04/2019',
        header=header,
    )
    assert [(each.row, each.reason) for each in imported.rejects.kept] == [
        (2, "bad_tag"),
        (3, "bad_date"),
        (4, "bad_tag"),
        (4, "bad_date"),
    ]
    assert acme.list() == {number(1): ("opted_out", "c"), number(2): ("opted_out", "")}
    assert imported.changes.opted_out == 2


@pytest.mark.parametrize(
    "sender",
    [
        "+12125550001",
        "(212) 555-0001",
        "12125550001",
        "+15555550123",  # of a range that nobody knows yet
        "+442079460000",  # a landline
        "447000000000",
        "+18005550199",
    ],
)
def test_whoever_has_said_stop_is_out_where_the_export_is_imported(acme: Provider, sender: str) -> None:
    acme.text(sender, "STOP")
    (standing,) = acme.list().items()
    assert standing[1] == ("opted_out", "")
    exported = (acme.folder / "export.csv").read_text().splitlines()
    (acme.folder / "other").mkdir()
    other = Provider(acme.folder / "other")
    assert import_rows(other, *exported[1:], header=exported[0]).rejects.total == 0
    assert dict([standing]) == other.list()
    other.store.close()


def test_only_an_opt_out_brings_a_number_that_no_text_reaches(acme: Provider) -> None:
    imported = import_rows(acme, "+15555550123,opted_in,", "+442079460000,suspended,")
    assert [each.reason for each in imported.rejects.kept] == ["invalid", "not_mobile"]
    assert acme.list() == {}


def test_a_file_without_the_columns_is_refused_whole(acme: Provider) -> None:
    with pytest.raises(UnusableFile, match="no column status, tags; an import has the columns of"):
        import_rows(acme, number(1), header="number")
    with pytest.raises(NotFound):
        importing.import_list(acme.store, acme.customer, Path("/nowhere.csv"), "Ann", acme.now)
    assert acme.list() == {}


def test_imported_numbers_are_not_chargeable_later(acme: Provider) -> None:
    import_rows(acme, f"{number(0)},opted_in,")
    assert acme.process("append.csv", numbers(2))["changes"]["never_seen_before"] == 1


class TestDoctor:
    def test_asks_for_an_import_once_files_are_applied(self, acme: Provider) -> None:
        assert not asks_for_an_import(acme)
        acme.process("append.csv", numbers(1))
        assert asks_for_an_import(acme)
        import_rows(acme, f"{number(5)},opted_out,")
        assert not asks_for_an_import(acme)

    def test_or_for_the_word_that_there_is_nothing_to_bring(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1))
        importing.starts_empty(acme.store, acme.customer, "Ann", acme.now)
        assert not asks_for_an_import(acme)
        assert len(acme.list()) == 1
