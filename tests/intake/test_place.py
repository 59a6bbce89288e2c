"""Where a name puts an upload."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alp_daemon.services.receiving.place import place
from tests.intake.world import NOW, World


@pytest.mark.parametrize(
    ("name", "folder", "feed", "waits_for", "seconds"),
    [
        ("members.csv", "", "members", None, None),
        ("MEMBERS-2026.CSV", "", "members", None, None),
        ("members.csv.part", "", None, "rename", 86_400),
        (".members.csv", "", None, "rename", 86_400),
        ("list.xlsx", "", None, "match", 60),
        ("list.xlsx", "preformatted", "preformatted", None, None),
        ("hashed.csv", "", "hashed", "sidecar", 600),
        ("hashed.csv.sha256", "", "hashed", "file", 600),
        ("HASHED.csv.SHA256", "", "hashed", "file", 600),
        ("hashed.csv.done", "", None, "match", 60),
        ("done.csv", "", "done", "sidecar", 600),
        ("done.csv.done", "", "done", "file", 600),
        ("members.csv.done", "", None, "match", 60),
        (".sha256", "", None, "rename", 86_400),
        ("hashed.csv.sha256", "preformatted", "preformatted", None, None),
    ],
)
def test_a_name_decides_what_an_upload_waits_for(
    world: World, name: str, folder: str, feed: str | None, waits_for: str | None, seconds: int | None
) -> None:
    where = place(world.registry.customer("acme"), name, folder, NOW)
    assert (where.feed, where.waits_for) == (feed, waits_for)
    assert where.until == (None if seconds is None else NOW + timedelta(seconds=seconds))


def test_a_customer_without_feeds_sends_the_standard_format_anywhere(world: World) -> None:
    assert place(world.registry.customer("school"), "any.csv", "", NOW).feed == "preformatted"


def test_without_the_customers_yaml_the_upload_is_due_for_whoever_holds_it(world: World) -> None:
    where = place(None, "members.csv", "", NOW)
    assert (where.feed, where.waits_for) == (None, None)
