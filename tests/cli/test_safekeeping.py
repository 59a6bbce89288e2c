"""``verify``, ``backup`` and ``restore`` on the command line: what they print and how they end."""

from __future__ import annotations

import csv
import gc
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import ANN, EVE, JOE, Said, Terminal


@pytest.fixture
def worked(alp: Terminal) -> Terminal:
    assert alp("process", "acme", alp.file("members.csv")).code == 0
    return alp


def edit(alp: Terminal, statement: str) -> None:
    with closing(sqlite3.connect(alp.folder / "data" / "alp.db")) as connection, connection:
        connection.execute(statement)


def restore(alp: Terminal, *arguments: str) -> Said:
    # The connections of the commands before end with their processes; here they end with their objects.
    gc.collect()
    return alp("restore", *arguments)


class TestVerify:
    def test_all_is_well(self, worked: Terminal) -> None:
        said = worked("verify")
        assert (said.code, said.out.splitlines()[1]) == (0, "acme\t2\t1\t2\t0")
        assert worked.json("verify", "--customer", "acme") == [
            {"list": "acme", "addresses": 2, "changes": 1, "events": 2, "faults": []}
        ]

    def test_what_was_edited(self, worked: Terminal) -> None:
        edit(worked, "UPDATE addresses SET status = 3")
        said = worked("verify")
        assert said.code == 69
        assert "acme: +1212•••0123 does not stand as its events say" in said.out
        assert "acme: +1212•••0123 does not stand" in worked("doctor").out

    def test_nobody_of_that_name(self, worked: Terminal) -> None:
        assert worked("verify", "--customer", "nobody").code == 66


class TestBackup:
    def test_a_backup_and_its_return(self, worked: Terminal) -> None:
        said = worked("backup", "copy.db")
        size = (worked.folder / "copy.db").stat().st_size
        assert said.code == 0
        assert said.out.startswith(f"{worked.folder}/copy.db: {size:,} bytes, in ")
        assert worked("opt-out", "acme", JOE, "--source", "end_user").code == 0
        refused = restore(worked, "copy.db")
        assert (refused.code, "--anyway" in refused.err) == (77, True)
        done = restore(worked, "copy.db", "--anyway")
        assert done.code == 0
        (kept,) = (worked.folder / "data").glob("replaced-*")
        command = f"alp-daemon import acme {kept}/opted-out-acme.csv --by NAME"
        assert command in done.err
        assert worked.json("status", "acme", JOE)["status"] == "opted_in"
        assert worked(*command.split()[1:-1], "Ann").code == 0
        assert worked.json("status", "acme", JOE)["status"] == "opted_out"

    def test_with_the_spool(self, worked: Terminal) -> None:
        found = worked.json("backup", "--spool", "copy")
        assert (found["path"], found["files"], found["faults"]) == (str(worked.folder / "copy"), 1, [])
        assert found["bytes"] == (worked.folder / "copy" / "alp.db").stat().st_size
        restored = restore(worked, "copy", "--json").json
        assert restored["database"] == str(worked.folder / "data" / "alp.db")
        assert (restored["put_aside"], restored["opted_out"], restored["without_file"]) == (0, {}, [])
        assert Path(restored["replaced"]).is_dir()

    def test_a_database_that_does_not_hold_is_copied_all_the_same(self, worked: Terminal) -> None:
        edit(worked, "UPDATE changes SET actor = 'nobody'")
        said = worked("backup", "copy.db")
        assert (said.code, (worked.folder / "copy.db").is_file()) == (69, True)
        assert "the database itself does not hold, and so does its copy: acme: the history was changed" in said.err
        assert restore(worked, "copy.db").code == 77

    def test_nothing_is_overwritten(self, worked: Terminal) -> None:
        said = worked("backup", worked.file("copy.db", "precious"))
        assert (said.code, "it exists already" in said.err) == (77, True)

    def test_there_is_nothing_to_restore(self, worked: Terminal) -> None:
        assert restore(worked, "nothing.db").code == 66


class TestWhatIsUndoneByARestore:
    def test_is_said_with_the_command_that_does_it_again(self, worked: Terminal) -> None:
        assert worked("backup", "copy.db").code == 0
        assert worked("credentials", "revoke", "acme", "acme").code == 0
        assert worked("credentials", "issue", "--for", "gateway").code == 0
        assert worked("approve", "acme", "--sample", "members.csv", "--by", "Ann").code == 0
        refused = restore(worked, "copy.db")
        assert refused.code == 77
        assert "(log-ins revoked: 1, log-ins issued: 2, feeds approved: 1)" in refused.err
        done = restore(worked, "copy.db", "--anyway")
        assert (
            "acme was revoked since, and may log in again; now: alp-daemon credentials revoke acme acme\n" in done.err
        )
        assert "gateway (gateway) was issued since, and is gone; issue another, and pass it on\n" in done.err
        command = "alp-daemon approve acme --feed members --sample FILE --by NAME"
        assert f"feed members of acme was approved since, by Ann: {command}\n" in done.err
        assert worked("credentials", "revoke", "acme", "acme").code == 0

    def test_what_came_otherwise_than_by_a_file_is_counted_and_lies_in_files(self, worked: Terminal) -> None:
        assert worked("backup", "copy.db").code == 0
        assert worked("customers", "push", "--by", "Ben").code == 0
        assert worked("line-types", "load", worked.file("types.csv", "+1212,mobile\n+1646,landline\n")).code == 0
        assert worked("suspend", "acme", JOE).code == 0
        assert worked("opt-out", "acme", ANN).code == 0
        refused = restore(worked, "copy.db")
        assert (refused.code, "customers' files pushed: 1, line types loaded: 2)" in refused.err) == (77, True)
        done = restore(worked, "copy.db", "--anyway")
        (kept,) = (worked.folder / "data").glob("replaced-*")
        assert (
            f"acme: changed since other than by files and opt-outs: 1 numbers; see {kept}/changed-acme.csv" in done.err
        )
        push = f"alp-daemon customers push --folder {kept}/customers --by NAME"
        load = f"alp-daemon line-types load {kept}/line-types.csv"
        assert "the customers' files were pushed since, last by Ben at 20" in done.err
        assert f": {push}\n" in done.err
        assert f"line types were loaded since (2 are replaced): {load}\n" in done.err
        assert worked(*push.split()[1:-1], "Ann").out.splitlines()[0] == "added: acme"
        assert worked(*load.split()[1:]).out == "2 line types are in force\n"

    def test_uploads_keep_their_numbers_and_are_taken_up_again_from_their_files(self, worked: Terminal) -> None:
        assert worked("backup", "copy.db").code == 0
        assert worked("process", "acme", worked.file("members-2.csv", f"Phone,Feeder\n{EVE},1\n")).code == 0
        refused = restore(worked, "copy.db")
        assert refused.code == 77
        assert "has come further than the backup (1 uploads and 1 changes" in refused.err
        assert "so it is with every database that was used since" in refused.err
        assert "not in force until they are processed again, nor are STOPs until they are imported again" in refused.err
        done = restore(worked, "copy.db", "--anyway")
        (kept,) = (worked.folder / "data").glob("replaced-*")
        assert "1 uploads came since, from number 2 to 2; they keep their numbers, as discarded ones\n" in done.err
        assert f"{kept}/uploads.csv names the file of each: alp-daemon process CUSTOMER FILE --feed FEED\n" in done.err
        assert worked.json("show", "2")["state"] == "discarded"
        (row,) = csv.DictReader((kept / "uploads.csv").open())
        again = worked.json("process", row["customer"], str(kept / "spool" / row["object"]), "--feed", row["feed"])
        assert (again["upload"], again["changes"]["opted_in"]) == (3, 1)

    def test_a_backup_that_does_not_hold_is_not_said_to_be_expected(self, worked: Terminal) -> None:
        edit(worked, "UPDATE changes SET actor = 'nobody'")
        worked("backup", "copy.db")
        refused = restore(worked, "copy.db")
        assert (refused.code, "to be expected" in refused.err) == (77, False)

    def test_where_nothing_came_nothing_is_said(self, worked: Terminal) -> None:
        assert worked("backup", "copy.db").code == 0
        done = restore(worked, "copy.db")
        (kept,) = (worked.folder / "data").glob("replaced-*")
        assert done.err == f"what was there is kept in {kept}, with 0 received files that the backup had not\n"
        assert [each.name for each in kept.iterdir()] == ["alp.db"]

    def test_a_list_is_no_backup(self, worked: Terminal) -> None:
        said = restore(worked, "members.csv")
        assert said.code == 65
        assert said.err.startswith(f"alp-daemon: {worked.folder}/members.csv: this is no backup of alp-daemon")
