"""Why a number stands as it does, what a customer is charged for, and the list as a file."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from alp_daemon.services.addresses import history, importing
from alp_daemon.services.decisions.undo import undo
from tests.services.provider import Provider, number, numbers


def export(acme: Provider, status: str | None = None) -> list[str]:
    out = io.StringIO()
    history.export(acme.store, "acme", status, out)
    return out.getvalue().splitlines()


def test_a_numbers_story_names_who_when_and_by_what(acme: Provider) -> None:
    acme.process("append.csv", {number(1): "a"})
    acme.command("suspend", number(1))
    acme.text(number(1), "STOP", "m1")
    (story,) = history.of_number(acme.store, 12125550001, ["acme", "nobody"])
    assert {name: story[name] for name in ("number", "customer", "status", "tags")} == {
        "number": number(1),
        "customer": "acme",
        "status": "opted_out",
        "tags": ["a"],
    }
    told = [(each["source"], each["by"], each["channel"], each["upload"], each["message"]) for each in story["history"]]
    assert told == [
        ("file", "acme", "ftp", 1, None),
        ("operator", "Ann", "cli", None, None),
        ("end_user", "end user", "message", None, "m1"),
    ]
    steps = [(each["status_before"], each["status_after"]) for each in story["history"]]
    assert steps == [("absent", "opted_in"), ("opted_in", "suspended"), ("suspended", "opted_out")]
    assert [each["at"] for each in story["history"]] == sorted(each["at"] for each in story["history"])


def test_a_number_nobody_has_heard_of_has_none(acme: Provider) -> None:
    acme.process("append.csv", numbers(1))
    assert history.of_number(acme.store, 12125559999, ["acme"]) == []


def test_the_export_is_sorted_and_filtered(acme: Provider) -> None:
    acme.process("append.csv", {number(3): "", number(1): "z|a", number(2): "b"})
    acme.command("opt_out", number(2))
    undo(acme.store, acme.process("append_tags.csv", {number(7): ""})["upload"], "Ann", acme.tick())
    assert export(acme) == [
        "number,status,tags",
        f"{number(1)},opted_in,a;z",
        f"{number(2)},opted_out,b",
        f"{number(3)},opted_in,",
    ]
    assert export(acme, "opted_out") == ["number,status,tags", f"{number(2)},opted_out,b"]


def test_an_empty_list_has_a_header(acme: Provider) -> None:
    assert export(acme) == ["number,status,tags"]


def test_sizes(acme: Provider) -> None:
    acme.process("append.csv", numbers(3))
    acme.command("suspend", number(0))
    undo(acme.store, acme.process("append_tags.csv", {number(7): ""})["upload"], "Ann", acme.tick())
    assert history.sizes(acme.store, "acme") == {"opted_in": 2, "suspended": 1, "opted_out": 0, "unsubscribed": 0}


def test_usage_counts_applied_uploads_and_chargeable_numbers(acme: Provider) -> None:
    acme.process("append.csv", numbers(3))
    acme.process("append.csv", numbers(5))
    acme.process("append.csv", "%PDF-1.4\n")
    acme.now = datetime(2026, 12, 1, tzinfo=UTC)
    undo(acme.store, acme.process("soft_opt_out.csv", numbers(7))["upload"], "Ann", acme.tick())
    acme.process("soft_opt_out.csv", numbers(7))
    november = {"month": "2026-11", "mode": "append", "uploads": 2, "never_seen_before": 5}
    december = {"month": "2026-12", "mode": "soft_opt_out", "uploads": 2, "never_seen_before": 2}
    assert history.usage(acme.store, "acme", None) == [november, december]
    assert history.usage(acme.store, "acme", "2026-11") == [november]
    assert history.usage(acme.store, "other", None) == []


def test_the_views_read_like_the_reports(acme: Provider) -> None:
    """What an operator sees with any SQLite tool."""
    acme.process("append.csv", {number(1): "b|a"})
    acme.text(number(1), "STOP")
    with acme.store.read() as transaction:
        query = transaction._connection.execute
        assert query("SELECT number, status, tags FROM numbers").fetchall() == [(number(1), "opted_out", "a;b")]
        assert query("SELECT number, source, status_before, status_after, tags_after FROM history").fetchall() == [
            (number(1), "file", "absent", "opted_in", "a;b"),
            (number(1), "end_user", "opted_in", "opted_out", "a;b"),
        ]


def test_consent_begins_with_what_brought_the_number_and_ends_with_its_opt_out(acme: Provider) -> None:
    phone, day = number(1), acme.now.date().isoformat()
    acme.process("append.csv", numbers(2))
    assert history.consent_date(acme.history(phone)) == day
    acme.tick(days=3)
    acme.command("suspend", number(0))
    assert history.consent_date(acme.history(number(0))) == day, "a suspension does not end it"
    acme.text(phone, "STOP")
    assert history.consent_date(acme.history(phone)) is None
    acme.text(phone, "ACME")
    assert history.consent_date(acme.history(phone)) == acme.now.date().isoformat() != day


def test_consent_is_of_the_day_that_an_import_states(acme: Provider) -> None:
    path = acme.folder / "old.csv"
    path.write_text(
        f"number,status,tags,consent_date\n{number(1)},opted_in,,2019-05-04\n{number(2)},opted_out,,2018-01-01\n"
    )
    importing.import_list(acme.store, acme.customer, path, "Ann", acme.tick())
    assert history.consent_date(acme.history(number(1))) == "2019-05-04"
    assert history.consent_date(acme.history(number(2))) is None
