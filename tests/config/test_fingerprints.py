"""An approval lapses with what the file does, and with nothing else."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.customers import Customer, fingerprint, load_file

SETTINGS: dict[str, Any] = {
    "name": "Acme",
    "keyword": "ACME",
    "region": "CA",
    "modes": ["soft_opt_out"],
    "report_to": ["a@example.org"],
    "feeds": {
        "members": {
            "match": "m*.csv",
            "mode": "soft_opt_out",
            "file": {"delimiter": ";", "skip_rows": "1", "trailer": {"starts_with": "END", "count_column": "2"}},
            "phones": ["Phone", "Cell"],
            "tags": [{"column": "Group", "map": {"a": "b", "c": "d"}}, {"value": "x"}],
            "only": {"Status": ["1", "2"], "Kind": ["k"]},
            "omitted_scope": "feed",
            "guard": {"max_omitted": "5%"},
        }
    },
}


def loaded(settings: dict[str, Any], **layout: Any) -> Customer:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "acme.yaml"
        path.write_text("# a comment\n" + yaml.safe_dump(settings, **layout), encoding="utf-8")
        return load_file(path)


ORIGINAL = fingerprint(loaded(SETTINGS), "members")


def shuffled(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        keys = order.sample(sorted(value), len(value))
        return {key: shuffled(value[key], order) for key in keys}
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


@given(st.randoms(use_true_random=False), st.booleans(), st.integers(2, 8))
def test_order_of_keys_and_layout_do_not_matter(order, flow, indent):
    settings = shuffled(SETTINGS, order)
    again = loaded(settings, sort_keys=False, default_flow_style=flow, indent=indent)
    assert fingerprint(again, "members") == ORIGINAL


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    settings = yaml.safe_load(yaml.safe_dump(SETTINGS))
    target = settings
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return settings


FEED = ("feeds", "members")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("name",), "Other"),
        (("keyword",), "OTHER"),
        (("modes",), ["soft_opt_out", "append"]),
        (("report_to",), []),
        (("require_close_notify",), "no"),
        (("feeds", "other"), {"match": "x*", "mode": "preformatted", "phones": ["A"]}),
        ((*FEED, "guard"), {"max_omitted": "6%"}),
        (("timezone",), "America/New_York"),
        ((*FEED, "expect"), {"every": "day", "by": "06:00"}),
        ((*FEED, "sidecar"), "done"),
        ((*FEED, "sidecar_wait"), "1h"),
        ((*FEED, "mode"), "soft_overwrite"),
        ((*FEED, "completeness"), "assumed"),
        ((*FEED, "file", "header"), "true"),
    ],
)
def test_what_needs_no_new_approval(path, value):
    assert fingerprint(loaded(changed(path, value)), "members") == ORIGINAL


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("region",), "US"),
        ((*FEED, "match"), "n*.csv"),
        ((*FEED, "mode"), "append"),
        ((*FEED, "file", "skip_rows"), "2"),
        ((*FEED, "file", "trailer", "count_column"), "3"),
        ((*FEED, "phones"), ["Phone"]),
        ((*FEED, "tags", 0, "map", "a"), "B"),
        ((*FEED, "tags", 1, "value"), "y"),
        ((*FEED, "only", "Status"), ["1"]),
        ((*FEED, "omitted_scope"), "list"),
        ((*FEED, "completeness"), "proven"),
    ],
)
def test_what_needs_a_new_approval(path, value):
    settings = changed(path, value) | {"modes": ["soft_opt_out", "append"]}
    assert fingerprint(loaded(settings), "members") != ORIGINAL


def test_omitted_tags_need_a_new_approval():
    settings = changed((*FEED, "mode"), "append_tags") | {"modes": ["append_tags"]}
    before = fingerprint(loaded(settings), "members")
    settings["feeds"]["members"]["omitted_tags"] = "clear"
    assert fingerprint(loaded(settings), "members") != before


def test_it_is_a_sha256_that_no_release_may_change_unasked():
    # A new value here ends the approval of every feed of every customer.
    assert ORIGINAL == "753d835d5792bdea1ad482d0abc7fe826986d2a05c911898064302f7ea7f69fb"


def test_the_preformatted_feed_has_one_too():
    plain = loaded(SETTINGS)
    with_minus = loaded(changed(("preformatted",), {"minus": "opt_out"}))
    assert fingerprint(plain, "preformatted") != fingerprint(with_minus, "preformatted")
    with pytest.raises(KeyError):
        fingerprint(plain, "nothing")
