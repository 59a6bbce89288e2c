"""A file that does not come is told of once, and once more when it comes; nobody is woken for nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from alp_daemon.customers import load_dir
from alp_daemon.domain.model import Evidence
from alp_daemon.services.alarms import expectations
from alp_daemon.services.operations import doctor
from alp_daemon.services.operations.metrics import Metrics
from alp_daemon.services.web.overview import overview
from alp_daemon.store.store import open_store
from tests.services.provider import Provider, feed, numbers

DAILY = {"every": "day", "by": "06:00", "grace": "2h"}
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)  # NOW is the Saturday before it, at six


@pytest.fixture
def utility(acme: Provider) -> Provider:
    """Since Saturday morning a file is expected every day by six."""
    expecting(acme, DAILY)
    return acme


def expecting(acme: Provider, expect: dict[str, str] | None, **top: Any) -> None:
    acme.configure({"append": feed("append", expect=expect) if expect else feed("append")}, **top)
    watch(acme)


def watch(acme: Provider, at: datetime | None = None) -> None:
    if at is not None:
        acme.now = at
    expectations.watch(acme.store, acme.settings, {"acme": acme.customer}, acme.now)


def subjects(acme: Provider) -> list[str]:
    return [mail["subject"] for mail in acme.mails() if "file" in mail["subject"]]


def alarms(acme: Provider) -> list[str]:
    return [row["slot"][:16] for row in acme.rows("alarms.open")]


def hour(day: int, hours: float) -> datetime:
    """Of the November in which it all happens."""
    return datetime(2026, 11, day, tzinfo=UTC) + timedelta(hours=hours)


def test_a_file_that_does_not_come_is_told_once(utility: Provider) -> None:
    watch(utility, hour(22, 7.99))
    assert alarms(utility) == []
    watch(utility, hour(22, 8))
    watch(utility, hour(22, 8.1))
    assert alarms(utility) == ["2026-11-22T06:00"]
    assert subjects(utility) == ["[acme] append: no file by 2026-11-22 06:00 (UTC)"]
    mail = utility.mails()[-1]
    assert mail["recipients"] == '["ops@provider.example", "reports@acme.example"]'
    assert "No file of this feed has come so far." in mail["body"]


def test_a_file_that_comes_in_time_is_nothing_to_tell(utility: Provider) -> None:
    utility.now = hour(22, 5)
    utility.process("append.csv", numbers(3))
    watch(utility, hour(22, 12))
    assert (alarms(utility), subjects(utility)) == ([], [])


def test_a_late_file_ends_the_alarm_with_one_word(utility: Provider) -> None:
    watch(utility, hour(22, 9))
    watch(utility, hour(23, 9))
    assert alarms(utility) == ["2026-11-22T06:00", "2026-11-23T06:00"]
    upload = utility.send("append.csv", numbers(3))
    watch(utility, hour(23, 10))
    watch(utility, hour(23, 11))
    assert alarms(utility) == []
    assert subjects(utility)[2:] == ["[acme] append: the file has come"]
    told = utility.mails()[-1]
    assert told["upload"] == upload
    assert "due by 2026-11-23 06:00 (UTC)" in told["body"]


def test_a_held_file_has_come(utility: Provider) -> None:
    utility.now = hour(22, 5)
    assert utility.process("append.csv", numbers(3), evidence=Evidence.cut)["state"] == "held"
    watch(utility, hour(22, 9))
    assert alarms(utility) == []


def test_a_rejected_file_has_not_come(utility: Provider) -> None:
    utility.now = hour(22, 5)
    assert utility.process("append.csv", "Other\n1\n")["state"] == "rejected"
    watch(utility, hour(22, 9))
    assert alarms(utility) == ["2026-11-22T06:00"]
    assert "was rejected, so that it does not count" in utility.mails()[-1]["body"]


def test_a_file_that_its_sender_deleted_has_not_come(utility: Provider) -> None:
    utility.now = hour(22, 5)
    upload = utility.send("append.csv", numbers(3))
    assert utility.intake.own.delete(upload, "acme", utility.tick())
    watch(utility, hour(22, 9))
    assert alarms(utility) == ["2026-11-22T06:00"]


def test_a_sidecar_alone_has_not_come(acme: Provider) -> None:
    acme.configure({"append": feed("append", expect=DAILY, sidecar="done")})
    watch(acme)
    acme.now = hour(22, 5)
    acme.receive("append.csv.done", "")
    watch(acme, hour(22, 9))
    assert alarms(acme) == ["2026-11-22T06:00"]


def test_yesterdays_correction_is_not_todays_file(utility: Provider) -> None:
    utility.now = hour(22, 10)
    utility.process("append.csv", numbers(3))
    watch(utility, hour(23, 9))
    assert alarms(utility) == ["2026-11-23T06:00"]


def test_nothing_is_told_of_slots_before_it_was_expected(acme: Provider) -> None:
    acme.now = hour(22, 7)
    expecting(acme, DAILY)
    watch(acme, hour(22, 12))
    assert alarms(acme) == []
    watch(acme, hour(23, 12))
    assert alarms(acme) == ["2026-11-23T06:00"]


def test_nothing_is_told_before_the_approval(acme: Provider) -> None:
    acme.configure({"members": feed("append", "members", expect=DAILY)})
    watch(acme)
    watch(acme, hour(22, 9))
    assert alarms(acme) == []
    acme.approve("members")
    watch(acme)
    watch(acme, hour(22, 23))
    assert alarms(acme) == []
    watch(acme, hour(23, 9))
    assert alarms(acme) == ["2026-11-23T06:00"]


def test_expecting_something_else_needs_no_approval_and_begins_anew(utility: Provider) -> None:
    utility.now = hour(22, 7)
    expecting(utility, {**DAILY, "by": "05:00"})
    watch(utility, hour(22, 9))
    assert alarms(utility) == []
    assert utility.process("append.csv", numbers(3))["state"] == "applied"


def test_a_longer_grace_begins_nothing_anew(utility: Provider) -> None:
    utility.now = hour(22, 7)
    expecting(utility, {**DAILY, "grace": "4h"})
    watch(utility, hour(22, 9.9))
    assert alarms(utility) == []
    watch(utility, hour(22, 10))
    assert alarms(utility) == ["2026-11-22T06:00"]


def test_who_was_down_for_days_tells_of_the_latest_slot_only(utility: Provider) -> None:
    utility.store.close()
    utility.store = open_store(utility.settings.database_address)
    watch(utility, hour(26, 12))
    watch(utility, hour(26, 13))
    assert alarms(utility) == ["2026-11-26T06:00"]
    assert len(subjects(utility)) == 1


def test_nodes_with_different_files_do_not_silence_each_other(utility: Provider) -> None:
    of_nodes = [utility.customer]
    for other in (feed("append", expect={**DAILY, "by": "05:00"}), feed("append")):
        utility.configure({"append": other})
        of_nodes.append(utility.customer)
    for minutes in range(3 * 60, 9 * 60, 5):
        for customer in of_nodes:
            expectations.watch(utility.store, utility.settings, {"acme": customer}, hour(22, minutes / 60))
    assert alarms(utility) == ["2026-11-22T05:00", "2026-11-22T06:00"]
    assert len(subjects(utility)) == 2


def test_an_alarm_ends_silently_when_nobody_expects_it_any_more(utility: Provider) -> None:
    watch(utility, hour(22, 9))
    expecting(utility, None)
    assert alarms(utility) == ["2026-11-22T06:00"], "another node may expect it on"
    watch(utility, hour(22, 9.6))
    assert alarms(utility) == []
    assert len(subjects(utility)) == 1
    assert utility.rows("expectations.all") == []


def test_a_customer_whose_file_is_missing_is_neither_forgotten_nor_told(utility: Provider) -> None:
    watch(utility, hour(22, 9))
    expectations.watch(utility.store, utility.settings, {}, hour(23, 9))
    assert alarms(utility) == ["2026-11-22T06:00"]
    assert len(utility.rows("expectations.all")) == 1
    watch(utility, hour(23, 10))
    assert alarms(utility) == ["2026-11-22T06:00", "2026-11-23T06:00"]


def test_the_time_is_the_customers(acme: Provider) -> None:
    acme.now = hour(21, 12)
    expecting(acme, DAILY, timezone="America/New_York")
    watch(acme, hour(22, 12.9))
    assert alarms(acme) == []
    watch(acme, hour(22, 13))
    assert alarms(acme) == ["2026-11-22T11:00"]
    assert subjects(acme) == ["[acme] append: no file by 2026-11-22 06:00 (America/New_York)"]


def test_two_nodes_at_once_tell_once(utility: Provider) -> None:
    start = Barrier(3)

    def node() -> None:
        store = open_store(utility.settings.database_address)
        start.wait()
        expectations.watch(store, utility.settings, {"acme": utility.customer}, hour(22, 9))
        store.close()

    nodes = [Thread(target=node) for _ in range(3)]
    for each in nodes:
        each.start()
    for each in nodes:
        each.join()
    assert len(subjects(utility)) == 1


def test_it_is_seen_everywhere(utility: Provider) -> None:
    def gauge() -> list[float]:
        families = {each.name: each for each in Metrics(utility.store).families(utility.now)}
        assert all(
            each.labels == (("customer", "acme"), ("feed", "append")) for each in families["alp_feed_overdue"].samples
        )
        return [each.value for each in families["alp_feed_overdue"].samples]

    def of_doctor() -> list[str]:
        loaded = load_dir(utility.settings.customers_dir)
        found = doctor.examine(utility.store, utility.settings, loaded, utility.now)
        return [each.message for each in found if "has not come" in each.message]

    def of_console() -> list[tuple[str, str, datetime]]:
        found = overview(utility.store, Metrics(utility.store), utility.now)
        return [(each.customer, each.feed, each.slot) for each in found.overdue]

    assert (gauge(), of_doctor(), of_console()) == ([0.0], [], [])
    watch(utility, hour(22, 9))
    watch(utility, hour(23, 9))
    assert gauge() == [1.0]
    assert len(of_doctor()) == 1
    assert "due by 2026-11-22 06:00 (UTC)" in of_doctor()[0]
    assert of_console() == [("acme", "append", hour(22, 6))]


def test_what_is_expected_wins_over_what_is_guessed(acme: Provider) -> None:
    for _ in range(5):
        acme.process("append.csv", numbers(3))
        acme.tick(hours=24)
    acme.tick(hours=12)
    assert [each.feed for each in overview(acme.store, Metrics(acme.store), acme.now).late] == ["append"]
    expecting(acme, {"every": "week", "day": "friday", "by": "06:00"})
    assert overview(acme.store, Metrics(acme.store), acme.now).late == []
