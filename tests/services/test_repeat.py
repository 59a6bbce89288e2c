"""The same file again is not read again, and nobody can tell the difference: whatever happens, in whatever order."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alp_daemon.domain.model import Evidence
from alp_daemon.errors import AlpError
from alp_daemon.services.decisions import holds
from alp_daemon.services.decisions.undo import undo
from alp_daemon.services.processing import line_types, process
from alp_daemon.services.processing.repeat import find_earlier
from alp_daemon.services.processing.rules import rules_for
from tests.services.provider import MODES, Provider, csv, feed, number, numbers

FILES = (
    csv(numbers(6)),
    csv({number(1): "a|b", number(2): "", "12": "x", '"4\n5"': "", number(3): "c", "(212) 555-0001": "d"}),
    csv({number(1): "a"}) + f"{number(2)}",
    csv({number(1): "a;b", number(9): "b"}) + "\nnobody,here\n",
    "Phone,Tags\n",
)
TABLES = {
    "addresses": "SELECT * FROM addresses ORDER BY 1, 2",
    "events": "SELECT * FROM events ORDER BY 1, 2, 3",
    "changes": "SELECT list, version, source, upload, note, events, digest FROM changes ORDER BY 1, 2",
    "tag_sets": "SELECT * FROM tag_sets ORDER BY 1, 2",
    "feed_bits": "SELECT * FROM feed_bits ORDER BY 1, 2",
    "first_listings": "SELECT * FROM first_listings ORDER BY 1, 2",
    "uploads": "SELECT id, feed, mode, sha256, evidence, evidence_note, state, reason, hold, waived, config, version,"
    " attempts, never_seen, undone_by, applied_order FROM uploads ORDER BY id",
    "rejects": "SELECT upload, rejects FROM reports ORDER BY 1",
    "outbox": "SELECT upload, recipients, subject FROM outbox ORDER BY id",
}

SEND = st.tuples(
    st.just("send"),
    st.sampled_from(MODES),
    st.sampled_from(FILES),
    st.sampled_from([Evidence.assumed, Evidence.assumed, Evidence.proven, Evidence.cut]),
)
STEP = st.one_of(
    SEND,
    st.tuples(st.just("again"), st.integers(1, 3)),
    st.tuples(st.just("text"), st.integers(1, 4), st.sampled_from(["STOP", "ACME"])),
    st.tuples(st.just("undo"), st.integers(1, 6)),
    st.tuples(st.just("release"), st.integers(1, 6)),
    st.tuples(st.just("line_types"), st.sampled_from(["", f"{number(1)},landline\n"])),
    st.tuples(st.just("guard"), st.sampled_from([{}, {"min_rows": 3}, {"max_rejected": "1%"}])),
    st.tuples(st.just("scope"), st.sampled_from(["list", "feed"])),
)


class Story:
    """Does the steps one after the other. What the product refuses to do changes nothing, here as there."""

    def __init__(self, folder: Path) -> None:
        self.provider = Provider(folder)
        self._last: tuple[str, str, Evidence] = MODES[0], FILES[0], Evidence.assumed
        self._extra: dict[str, Any] = {}

    def take(self, step: tuple[Any, ...]) -> None:
        name, *arguments = step
        try:
            getattr(self, f"_{name}")(*arguments)
        except AlpError:
            return

    def _send(self, mode: str, content: str, evidence: Evidence) -> None:
        self._last = mode, content, evidence
        self.provider.send(f"{mode}.csv", content, evidence=evidence)
        self.provider.drain()

    def _again(self, times: int) -> None:
        for _ in range(times):
            self._send(*self._last)

    def _text(self, index: int, text: str) -> None:
        self.provider.text(number(index), text)

    def _undo(self, upload: int) -> None:
        undo(self.provider.store, upload, "Ann", self.provider.tick(), anyway=True)

    def _release(self, upload: int) -> None:
        holds.release(self.provider.store, upload, "Ann", self.provider.now, though_cut=True)
        self.provider.drain()

    def _line_types(self, content: str) -> None:
        path = self.provider.folder / "types.csv"
        path.write_text(content)
        line_types.load(self.provider.store, path)

    def _guard(self, limits: dict[str, Any]) -> None:
        self._configure(guard=limits)

    def _scope(self, scope: str) -> None:
        self._configure(omitted_scope=scope)

    def _configure(self, **extra: Any) -> None:
        self._extra |= extra
        self.provider.configure({mode: feed(mode, **self._extra) for mode in MODES})
        self.provider.approve(*MODES)

    def outcome(self) -> dict[str, Any]:
        with self.provider.store.read() as transaction:
            query = transaction._connection.execute
            found: dict[str, Any] = {name: query(select).fetchall() for name, select in TABLES.items()}
            reports = [json.loads(text) for (text,) in query("SELECT json FROM reports ORDER BY upload")]
        return {**found, "reports": [{**report, "seconds": 0} for report in reports]}


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEP, min_size=2, max_size=9))
def test_it_never_makes_a_difference(steps: list[tuple[Any, ...]]) -> None:
    outcomes = []
    for find in (find_earlier, lambda *_: None):
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setattr(process, "find_earlier", find)
            story = Story(Path(folder))
            for step in (("send", MODES[3], FILES[1], Evidence.assumed), *steps):
                story.take(step)
            outcomes.append(story.outcome())
            story.provider.store.close()
    assert outcomes[0] == outcomes[1]


def is_known(acme: Provider, mode: str, content: str) -> bool:
    """Whether a file sent now would not be read."""
    upload = acme.upload(acme.send(f"{mode}.csv", content))
    with acme.store.read() as transaction:
        found = find_earlier(transaction, upload, rules_for(acme.customer, mode))
    acme.drain()
    return found is not None


@pytest.mark.parametrize("mode", MODES)
def test_it_is_taken(acme: Provider, mode: str) -> None:
    assert not is_known(acme, mode, FILES[1])
    assert is_known(acme, mode, FILES[1])
    assert is_known(acme, mode, FILES[1]), "also after one that was not read"


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda acme: acme.text(number(1), "STOP"),
        lambda acme: acme.process("append.csv", numbers(1, start=50)),
        lambda acme: undo(acme.store, 1, "Ann", acme.tick()),
        lambda acme: acme.configure({mode: feed(mode, only={"Tags": ["a"]}) for mode in MODES}),
    ],
    ids=["a STOP", "a file of another feed", "its undo", "another filter"],
)
def test_it_is_not_taken_after(acme: Provider, meanwhile: Callable[[Provider], object]) -> None:
    acme.process("append_tags.csv", FILES[1])
    meanwhile(acme)
    assert not is_known(acme, "append_tags", FILES[1])


def test_it_is_not_taken_where_a_feed_remembers_whom_it_has_listed(acme: Provider) -> None:
    """Later files may leave the feed's bit on addresses without any change of the list."""
    acme.configure({mode: feed(mode, omitted_scope="feed") for mode in MODES})
    acme.approve(*MODES)
    acme.process("soft_opt_out.csv", FILES[1])
    assert not is_known(acme, "soft_opt_out", FILES[1])


def test_a_stop_between_the_look_and_the_lock_wins(acme: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.process("append_tags.csv", FILES[0])
    real_apply = process._apply_or_hold

    def stop_first(*arguments: Any) -> Any:
        monkeypatch.undo()
        acme.text(number(1), "STOP")
        return real_apply(*arguments)

    monkeypatch.setattr(process, "_apply_or_hold", stop_first)
    report = acme.process("append_tags.csv", FILES[0])
    assert report["changes"]["blocked_opted_out"] == 1
    assert acme.statuses()[number(1)] == "opted_out"
