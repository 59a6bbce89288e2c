"""The sentence that says why an address stands as it does."""

from __future__ import annotations

from typing import Any

import pytest

from alp_daemon.services.addresses.explain import why


def event(before: str, after: str, source: str, day: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "at": f"2026-11-{day:02}T06:00:00.000000Z",
        "by": "acme",
        "source": source,
        "channel": "cli",
        "upload": 7,
        "message": None,
        "note": "",
        "status_before": before,
        "status_after": after,
        **more,
    }


@pytest.mark.parametrize(
    ("status", "last", "said"),
    [
        ("opted_in", event("absent", "opted_in", "file"), "upload 7 of acme listed it"),
        ("suspended", event("opted_in", "suspended", "file"), "upload 7 of acme did not list it"),
        ("opted_out", event("opted_in", "opted_out", "file"), "upload 7 of acme took it off"),
        ("opted_in", event("absent", "opted_in", "import", note="consent: 2020-01-01"), "(consent: 2020-01-01)"),
        ("absent", event("opted_in", "absent", "undo"), "acme undid upload 7"),
        ("suspended", event("opted_in", "suspended", "api"), "acme said so by the API"),
        ("opted_out", event("opted_in", "opted_out", "operator"), "acme said so."),
        ("opted_out", event("opted_in", "opted_out", "end_user"), "by phone or letter, as acme noted"),
        (
            "opted_out",
            event("opted_in", "opted_out", "end_user", channel="message", message="m-1"),
            "its own message m-1 said so",
        ),
        ("opted_out", event("opted_in", "opted_out", "end_user", channel="message"), "UTC: its own message said so"),
    ],
)
def test_names_what_brought_it_there(status: str, last: dict[str, Any], said: str) -> None:
    assert said in why(status, [event("absent", "opted_in", "file"), last] if status != "opted_in" else [last])


def test_the_last_change_counts_and_not_what_only_repeats_it() -> None:
    events = [
        event("absent", "opted_in", "file", 1),
        event("opted_in", "suspended", "file", 2),
        event("suspended", "opted_in", "file", 3),
        event("opted_in", "opted_in", "api", 4),
    ]
    assert why("opted_in", events) == "Opted in since 2026-11-03 06:00 UTC: upload 7 of acme listed it."


def test_the_end_users_own_word_counts_for_more_than_what_came_before_it() -> None:
    events = [
        event("opted_in", "opted_out", "file", 2),
        event("opted_out", "opted_out", "end_user", 3, channel="message", message="m-2"),
        event("opted_out", "opted_out", "operator", 4),
    ]
    assert why("opted_out", events, "ACME") == (
        "Opted out since 2026-11-03 06:00 UTC: its own message m-2 said so. No file and no command lifts that, only its"
        " own message with the keyword ACME."
    )


def test_without_any_event_it_says_what_it_knows() -> None:
    assert why("opted_in", []) == "Opted in."
