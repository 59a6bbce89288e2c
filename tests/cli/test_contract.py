"""What ``--json`` prints: others build on exactly these names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alp_daemon import ports
from alp_daemon.sections import LockoutSettings
from alp_daemon.services.logins.access import Access
from alp_daemon.store.store import open_store
from tests.certificates import write_pair
from tests.cli.conftest import ACME, ANN, EVE, JOE, MEMBERS, Terminal

REPORT = {
    "upload", "customer", "feed", "mode", "state", "evidence", "evidence_note", "reason", "hold", "rows", "changes",
    "rejects", "rejects_total", "rejects_by_reason", "seconds", "name", "channel", "sent_by", "received_at", "size",
    "sha256",
}  # fmt: skip
ROWS = {"read", "listed", "duplicate", "rejected", "filtered", "blank", "numbers"}
CHANGES = {
    "opted_in", "reactivated", "suspended", "opted_out", "tags_added", "tags_removed", "unchanged",
    "blocked_opted_out", "never_seen_before",
}  # fmt: skip
CREDENTIAL = {"user", "kind", "issued_at", "issued_by", "revoked_at", "revoked_by"}
STANDING = {"number", "status", "tags", "history"}
EVENT = {
    "at", "by", "source", "channel", "upload", "message", "note", "status_before", "status_after", "tags_before",
    "tags_after",
}  # fmt: skip


def test_process_and_show(alp: Terminal) -> None:
    report = alp.json("process", "acme", alp.file("members.csv"))
    assert report.keys() == REPORT
    assert report["rows"] == {
        "read": 3, "listed": 2, "duplicate": 0, "rejected": 1, "filtered": 0, "blank": 0, "numbers": 2,
    }  # fmt: skip
    assert report["changes"] == dict.fromkeys(CHANGES, 0) | {"opted_in": 2, "tags_added": 2, "never_seen_before": 2}
    assert report["rejects"] == [{"row": 4, "column": "Phone", "value": "nonsense", "reason": "not_a_number"}]
    facts = {name: report[name] for name in ("upload", "customer", "feed", "mode", "state", "evidence", "reason")}
    assert facts == {
        "upload": 1,
        "customer": "acme",
        "feed": "members",
        "mode": "append",
        "state": "applied",
        "evidence": "assumed",
        "reason": "",
    }
    assert alp.json("show", "1") == report


def test_messages_that_nobody_understood(alp: Terminal) -> None:
    alp.json("message", "acme", JOE, "Who is this?", "--id", "m1")
    alp.json("message", "acme", JOE, "STOP", "--id", "m2")
    (found,) = alp.json("messages", "acme")
    assert {name: found[name] for name in ("id", "from", "text")} == {"id": "m1", "from": JOE, "text": "Who is this?"}


def test_only_the_first_100_rejects_are_listed(alp: Terminal) -> None:
    rows = f"Phone,Feeder\n{JOE},1\n{ANN},1\n" + "".join(f"{phone},1\n" for phone in range(102))
    report = alp.json("process", "acme", alp.file("members.csv", rows), code=79)
    assert (len(report["rejects"]), report["rejects_total"]) == (100, 102)


def test_a_held_one_names_its_reasons(alp: Terminal) -> None:
    alp.json("process", "acme", alp.file("members.csv"))
    report = alp.json("process", "acme", alp.file("full.csv", f"Phone\n{EVE}\n"), code=79)
    assert (report["state"], report["upload"]) == ("held", 2)
    assert report["hold"] == [
        {
            "code": "omitted",
            "message": "it would opt out 2 of 2 opted-in numbers (100.0%; the limit is 10%)",
            "count": 2,
            "limit": 0.1,
        }
    ]
    assert report["reason"] == report["hold"][0]["message"]


def test_a_dry_run(alp: Terminal) -> None:
    report = alp.json("process", "acme", alp.file("members.csv"), "--dry-run")
    assert report.keys() == REPORT | {"dry_run"}
    assert (report["upload"], report["state"], report["dry_run"]) == (None, "applied", True)
    assert report["changes"]["opted_in"] == 2
    assert alp.json("uploads") == []
    assert alp("export", "acme").out == "number,status,tags\n"


def test_a_dry_run_of_a_feed_that_is_not_approved(alp: Terminal, configure: Callable[[str], None]) -> None:
    configure(ACME.replace("phones: [Phone]", "phones: [phone]"))
    said = alp("process", "acme", alp.file("members.csv"), "--dry-run")
    assert said.code == 79
    assert "feed members was changed after Ann approved it" in said.out


def test_uploads_newest_first_and_without_rejects(alp: Terminal) -> None:
    for _ in range(2):
        alp.json("process", "acme", alp.file("members.csv"))
    found = alp.json("uploads")
    assert [each["upload"] for each in found] == [2, 1]
    assert found[0] == {name: value for name, value in alp.json("show", "2").items() if name != "rejects"}
    assert alp.json("uploads", "--state", "held") == []
    assert [each["upload"] for each in alp.json("uploads", "--limit", "1", "--state", "applied")] == [2]


def test_uploads_by_the_state_that_the_list_shows(alp: Terminal) -> None:
    for _ in range(2):
        alp.json("process", "acme", alp.file("members.csv"))
    alp.json("undo", "2", "--by", "Ann")
    for state, upload in (("undone", 2), ("applied", 1)):
        assert [each["upload"] for each in alp.json("uploads", "--state", state)] == [upload]
        _, row = alp("uploads", "--state", state).out.splitlines()
        assert row.split("\t")[5] == state


@pytest.mark.parametrize(
    ("command", "column"),
    [
        (("uploads",), "received"),
        (("number", JOE), "when"),
        (("messages", "acme"), "when"),
        (("credentials", "list", "acme"), "issued"),
        (("lockouts",), "until"),
        (("lockouts", "--unlocked"), "unlocked"),
    ],
)
def test_times_have_their_zone(alp: Terminal, command: tuple[str, ...], column: str) -> None:
    alp.json("process", "acme", alp.file("members.csv"))
    alp.json("message", "acme", JOE, "what?")
    store = open_store(alp.folder / "data/alp.db")
    access = Access(store, LockoutSettings())
    for ip in ("192.0.2.7", "192.0.2.8"):
        for _ in range(4):
            access.judge(ip, "nobody", "wrong", datetime.now(UTC))
    access.unlock("192.0.2.8", "Ann", datetime.now(UTC))
    store.close()
    head, row, *_ = (line.split("\t") for line in alp(*command).out.splitlines())
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", row[head.index(column)])


def test_preview(alp: Terminal) -> None:
    report = alp.json("preview", "acme", alp.file("members.csv"), "--out", "out.csv")
    assert report.keys() == REPORT | {"out"}
    assert report["state"] == "planned"
    assert (alp.folder / "out.csv").read_text() == f"{JOE},f-12\n{ANN},f-13\n"


@pytest.mark.parametrize("command", ["opt-in", "opt-out", "suspend", "reactivate"])
def test_manage_optin(alp: Terminal, command: str) -> None:
    alp.json("process", "acme", alp.file("members.csv"))
    found = alp.json(command, "acme", "212-555-0123")
    assert found.keys() == {"number", "status", "tags", "changed"}
    assert found["number"] == JOE


def test_status_and_number(alp: Terminal) -> None:
    alp.json("process", "acme", alp.file("members.csv"))
    status = alp.json("status", "acme", JOE)
    assert status.keys() == STANDING
    assert (status["number"], status["status"], status["tags"]) == (JOE, "opted_in", ["f-12"])
    assert [event.keys() for event in status["history"]] == [EVENT]
    number = alp.json("number", JOE)
    assert number.keys() == STANDING | {"customer"}
    assert number["history"] == [{**status["history"][0], "customer": "acme"}]
    assert alp.json("number", JOE, "--customer", "acme") == number
    assert alp.json("status", "acme", EVE) == {"number": EVE, "status": "absent", "tags": [], "history": []}


@pytest.mark.parametrize(
    ("text", "intent", "status"),
    [
        ("Please stop", "opt_out", "opted_out"),
        ("acme", "opt_in", "opted_in"),
        ("help", "help", "absent"),
        ("?", "other", "absent"),
    ],
)
def test_message(alp: Terminal, text: str, intent: str, status: str) -> None:
    answer = alp.json("message", "acme", JOE, text, "--id", "m1")
    assert answer.keys() == {"intent", "status", "reply"}
    assert (answer["intent"], answer["status"]) == (intent, status)
    assert alp.json("message", "acme", JOE, text, "--id", "m1") == answer


def test_release_discard_and_undo(alp: Terminal) -> None:
    alp.json("process", "acme", alp.file("members.csv"))
    for _ in range(2):
        alp.json("process", "acme", alp.file("full.csv", f"Phone\n{EVE}\n"), code=79)
    assert alp.json("discard", "2", "--by", "Ann") == {"upload": 2, "state": "discarded"}
    assert alp.json("release", "3", "--by", "Ann") == {"upload": 3, "state": "received"}
    said = alp("process", "acme", alp.file("members.csv", f"Phone,Feeder\n{EVE},\n"))
    assert (said.code, said.err) == (0, "upload 3 came first: applied\n")
    released = alp.json("show", "3")
    assert released.keys() == REPORT | {"released_by", "released_at"}
    assert (released["released_by"], [each["code"] for each in released["hold"]]) == ("Ann", ["omitted"])
    assert [each.get("released_by") for each in alp.json("uploads")] == [None, "Ann", None, None]
    assert f"  released   by Ann at {released['released_at']}\n" in alp("show", "3").out
    discarded = alp.json("show", "2")
    assert discarded.keys() == REPORT | {"discarded_at"}
    assert f"  discarded  at {discarded['discarded_at']}\n" in alp("show", "2").out
    assert alp.json("undo", "3", "--by", "Ann") == {"upload": 3, "reversed": 2, "kept": 1, "refused": 0}


def test_credentials(alp: Terminal) -> None:
    issued = alp.json("credentials", "issue", "acme", "--for", "ftp")
    assert issued.keys() == {"user", "password"}
    assert issued["user"] == "acme-2"
    assert alp.json("credentials", "revoke", "acme", "acme-2") == {"user": "acme-2", "revoked": True}
    listed = alp.json("credentials", "list", "acme")
    assert [each.keys() for each in listed] == [CREDENTIAL] * 2
    assert issued["password"] not in json.dumps(listed)


def test_approve_issues_the_first_log_in_only(alp: Terminal) -> None:
    arguments = ("approve", "acme", "--sample", alp.file("members.csv"), "--by", "Ann")
    assert alp.json(*arguments) == {"user": None, "password": None}
    (alp.folder / "customers" / "school.yaml").write_text(ACME.replace("ACME", "SCHOOL"))
    issued = alp.json("approve", "school", "--sample", alp.file("members.csv"), "--by", "Ann")
    assert issued["user"] == "school"
    assert len(issued["password"]) > 20


def test_what_waits_for_an_approval_goes_on_when_a_daemon_runs(alp: Terminal, configure: Callable[[str], None]) -> None:
    configure(ACME.replace("phones: [Phone]", "phones: [phone]"))
    alp.json("process", "acme", alp.file("members.csv"), code=79)
    arguments = ("approve", "acme", "--sample", "members.csv", "--by", "Ann")
    assert "1 waiting file(s) are in the queue; no daemon runs, start it with `alp-daemon serve`" in alp(*arguments).err
    alp.json("process", "acme", "members.csv")
    configure(ACME.replace("phones: [Phone]", "phones: [PHONE]"))
    alp.json("process", "acme", "members.csv", code=79)
    ports.add(alp.folder / "data", {"ftp": 2121}, is_main=True)
    assert "1 waiting file(s) are in the queue; the daemon works on it now" in alp(*arguments).err


def test_lockouts(alp: Terminal) -> None:
    assert alp.json("lockouts") == []
    access = Access(open_store(alp.folder / "data" / "alp.db"), LockoutSettings())
    for _ in range(4):
        access.judge("192.0.2.7", "acme", "wrong", datetime.now(UTC))
    (lockout,) = alp.json("lockouts")
    assert lockout.keys() == {"ip", "until", "failures"}
    assert (lockout["ip"], lockout["failures"]) == ("192.0.2.7", 4)
    assert alp.json("unlock", "192.0.2.7", "--by", "Ann") == {"ip": "192.0.2.7", "unlocked": True}
    assert alp.json("lockouts") == []
    (unlocked,) = alp.json("lockouts", "--unlocked")
    assert unlocked.keys() == {"ip", "since", "until", "failures", "unlocked_at", "unlocked_by"}
    assert (unlocked["until"], unlocked["failures"], unlocked["unlocked_by"]) == (lockout["until"], 4, "Ann")


def test_usage(alp: Terminal) -> None:
    alp.json("process", "acme", alp.file("members.csv"))
    (month,) = alp.json("usage", "acme")
    assert month.keys() == {"month", "mode", "uploads", "never_seen_before"}
    assert alp.json("usage", "acme", "--month", "1999-01") == []


def test_import(alp: Terminal) -> None:
    found = alp.json("import", "acme", alp.file("old.csv", f"number,status,tags\n{JOE},opted_out,\n"), "--by", "Ann")
    assert found.keys() == {"rows", "changes", "rejects", "rejects_total"}
    assert found["changes"].keys() == CHANGES
    assert alp.json("import", "acme", "--starts-empty", "--by", "Ann") == {"customer": "acme", "starts_empty": True}


def test_line_types(alp: Terminal) -> None:
    assert alp.json("line-types", "load", alp.file("types.csv", "prefix,type\n+1212555,mobile\n")) == {"rows": 1}


def test_check_config_and_doctor(alp: Terminal) -> None:
    checked = alp.json("check-config")
    assert checked.keys() == {"config", "customers", "problems", "needs_approval"}
    assert (checked["customers"], checked["needs_approval"]) == (["acme"], [])
    (alp.folder / "customers" / "acme.yaml").write_text(ACME.replace("[Phone]", "[Tel]", 1) + "nonsense: 1\n")
    (problem,) = alp.json("check-config", code=78)["problems"]
    assert problem.keys() == {"path", "line", "column", "message", "severity"}
    assert all(finding.keys() == {"severity", "message"} for finding in alp.json("doctor", code=69))


def test_check_config_tries_the_certificate_and_makes_no_database(alp: Terminal, tmp_path: Path) -> None:
    config = tmp_path / "other" / "alp.yaml"
    config.parent.mkdir()
    config.write_text("ftp: {tls: {certificate: x.crt, key: x.key}}\n")
    problem, no_customers = alp.json("check-config", "--config", str(config), code=78)["problems"]
    assert no_customers["severity"] == "warning"
    assert (problem["path"], problem["line"], problem["column"]) == (str(config), 1, 7)
    assert problem["message"].startswith(f"ftp.tls: {config.parent}/x.crt and {config.parent}/x.key: expected a PEM")
    config.write_text("")
    assert alp("check-config", "--config", str(config)).code == 0
    assert list(config.parent.iterdir()) == [config]


def test_check_config_tells_of_every_certificate_and_every_customer(alp: Terminal) -> None:
    with (alp.folder / "alp.yaml").open("a") as config:
        config.write("ftp:\n  tls: {certificate: x.crt, key: x.key}\nweb: {tls: {certificate: y.crt, key: y.key}}\n")
    (alp.folder / "customers" / "beta.yaml").write_text("name: Beta\n")
    said = alp("check-config")
    assert said.code == 78
    assert f"{alp.folder}/alp.yaml:4:3: ftp.tls: {alp.folder}/x.crt and" in said.out
    assert f"{alp.folder}/alp.yaml:5:7: web.tls: {alp.folder}/y.crt and" in said.out
    assert f'{alp.folder}/customers/beta.yaml:1:1: missing key "keyword"' in said.out
    assert "1 customer(s) usable, 3 error(s), 0 warning(s)" in said.out


@pytest.mark.parametrize(("days", "code", "severity"), [(-1, 69, "error"), (13, 0, "warning"), (15, 0, None)])
def test_check_config_and_doctor_tell_of_a_certificate_that_expires(
    alp: Terminal, tmp_path: Path, days: int, code: int, severity: str | None
) -> None:
    certificate, key = tmp_path / "ftp.crt", tmp_path / "ftp.key"
    write_pair(certificate, key, datetime.now(UTC) + timedelta(days=days))
    with (tmp_path / "alp.yaml").open("a") as config:
        config.write(f"ftp: {{tls: {{certificate: {certificate}, key: {key}}}}}\n")
    problems = [(problem["path"], problem["severity"]) for problem in alp.json("check-config")["problems"]]
    assert problems == ([(str(certificate), "warning")] if severity else [])
    findings = [each["severity"] for each in alp.json("doctor", code=code) if str(certificate) in each["message"]]
    assert findings == ([severity] if severity else [])


def test_schema(alp: Terminal) -> None:
    for which in ("settings", "customer"):
        assert alp.json("schema", which)["type"] == "object"


def test_export_is_csv_and_says_so_much(alp: Terminal) -> None:
    alp.json("process", "acme", alp.file("members.csv", MEMBERS.replace("12\n", "12\n212.555.0123,Joe,7\n")))
    expected = f"number,status,tags\n{JOE},opted_in,f-12;f-7\n{ANN},opted_in,f-13\n"
    assert alp("export", "acme").out == expected
    assert alp.json("export", "acme", "--out", "list.csv") == {"file": "list.csv", "rows": 2}
    assert (alp.folder / "list.csv").read_text() == expected
    assert alp("export", "acme", "--status", "opted_out").out == "number,status,tags\n"
