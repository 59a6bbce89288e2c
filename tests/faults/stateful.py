"""Anything in any order: files in all modes, messages, commands, releases, undos and restarts, against a reference.

After each step the list is the reference's, and whoever said STOP last is opted out: no file ever lifts that.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from alp_daemon.errors import Refused
from alp_daemon.services.decisions import holds
from alp_daemon.services.decisions.undo import undo
from alp_daemon.services.safekeeping.verify import verify
from tests import databases
from tests.crash.model import Rows
from tests.faults.campaign import Tally
from tests.faults.reference import COMMANDS, Reference
from tests.services.provider import MODES, Provider

STEPS = 50
"""Of one story at most; most stories are nearly as long."""
_STEPS_USUALLY = 40
_SUPERSEDES = ("append_tags", "soft_opt_out", "soft_opt_out_tags", "hard_opt_out")

numbers = st.integers(0, 7).map(lambda last: f"212555010{last}")
tags = st.sampled_from(["north", "south", "board"])
file_rows = st.lists(st.tuples(numbers, tags), min_size=1, max_size=8)
feeds = st.sampled_from([*MODES, "preformatted"])
stops = st.sampled_from(["STOP", "Stop. Thank you", "please stop", "ACME STOP", "opt out", "quit!"])
keywords = st.sampled_from(["ACME", "acme", "join ACME"])
others = st.sampled_from(["HELP", "who is this", "ACME no", "ACME do not send"])


@dataclass(frozen=True, slots=True)
class _File:
    feed: str
    rows: Rows
    refused: int
    """Rows that hold no number. More of them than of the others, and the guard holds the file."""

    @property
    def content(self) -> str:
        header = [] if self.feed == "preformatted" else [("Phone", "Tags")]
        lines = [*header, *self.rows, *[("nobody", "north")] * self.refused]
        return "".join(f"{phone},{tag}\n" for phone, tag in lines)

    @property
    def is_suspicious(self) -> bool:
        return self.refused > len(self.rows)


@cache
def fresh() -> tempfile.TemporaryDirectory[str]:
    """A provider that was just set up, to be copied. Removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="alp-stateful-")
    Provider(Path(folder.name)).store.close()
    databases.keep()
    return folder


class Story(RuleBasedStateMachine):
    """One provider from its first file on."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="alp-story-")
        databases.copied(Path(fresh().name), Path(self._folder.name))
        self.provider = Provider(Path(self._folder.name))
        self.reference = Reference()
        self.files: dict[int, _File] = {}
        self.queue: list[int] = []
        self.held: list[int] = []
        self.released: set[int] = set()

    def teardown(self) -> None:
        self.provider.store.close()
        self._folder.cleanup()

    # Files

    @rule(feed=feeds, rows=file_rows, refused=st.sampled_from([0, 0, 0, 1, 9]))
    def send(self, feed: str, rows: Rows, refused: int) -> None:
        file = _File(feed, rows, refused)
        folder = feed if feed == "preformatted" else ""
        upload = self.provider.send(f"{feed}.csv", file.content, folder=folder)
        self.files[upload] = file
        self.queue.append(upload)

    @precondition(lambda self: self.queue)
    @rule()
    def work(self) -> None:
        upload = self.queue.pop(0)
        file = self.files[upload]
        report = self.provider.work()
        assert report is not None
        assert report["upload"] == upload, "in the order in which they came"
        if file.is_suspicious and upload not in self.released:
            assert report["state"] == "held"
            self.held.append(upload)
            return
        assert report["state"] == "applied"
        self.reference.file(upload, file.feed, file.rows)
        if file.feed in _SUPERSEDES:
            self.held = [each for each in self.held if each > upload or self.files[each].feed != file.feed]

    @rule(feed=feeds, rows=file_rows)
    def process(self, feed: str, rows: Rows) -> None:
        """What comes most often: a file that is worked at once."""
        self.send(feed, rows, 0)
        self.work_all()

    @rule()
    def work_all(self) -> None:
        while self.queue:
            self.work()
        assert self.provider.work() is None

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        upload = data.draw(st.sampled_from(self.held), label="released")
        holds.release(self.provider.store, upload, "Ann", self.provider.now)
        self.held.remove(upload)
        self.released.add(upload)
        self.queue = sorted([*self.queue, upload])

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        upload = data.draw(st.sampled_from(self.held), label="discarded")
        holds.discard(self.provider.store, upload, "Ann", self.provider.tick())
        self.held.remove(upload)

    @precondition(lambda self: self.reference.applied)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        upload = data.draw(st.sampled_from(list(self.reference.applied)), label="undone")
        allowed = self.reference.may_undo(upload)
        try:
            undo(self.provider.store, upload, "Ann", self.provider.tick())
        except Refused:
            assert not allowed
        else:
            assert allowed
            self.reference.undo(upload)

    # People

    @rule(number=numbers, text=stops)
    def says_stop(self, number: str, text: str) -> None:
        assert self.provider.text(number, text).status == "opted_out"
        self.reference.stop(number)

    @rule(number=numbers, text=keywords)
    def says_the_keyword(self, number: str, text: str) -> None:
        assert self.provider.text(number, text).status == "opted_in"
        self.reference.keyword(number)

    @rule(number=numbers, text=others)
    def says_something_else(self, number: str, text: str) -> None:
        assert self.provider.text(number, text).intent in ("help", "other")

    @rule(name=st.sampled_from(COMMANDS), number=numbers, given=st.frozensets(tags, max_size=2))
    def command(self, name: str, number: str, given: frozenset[str]) -> None:
        carried_out = self.reference.command(name, number, given)
        try:
            self.provider.command(name, number, given)
        except Refused:
            assert not carried_out
        else:
            assert carried_out

    @rule(number=numbers)
    def revokes_by_letter(self, number: str) -> None:
        self.provider.command("opt_out", number, source="end_user")
        self.reference.stop(number)

    @rule()
    def restart(self) -> None:
        self.provider.store.close()
        self.provider = Provider(self.provider.folder, self.provider.now)

    # What always holds

    @invariant()
    def the_list_is_the_references(self) -> None:
        expected = {
            f"+1{number}": (status, ";".join(sorted(tags))) for number, (status, tags) in self.reference.numbers.items()
        }
        assert self.provider.list() == expected

    @invariant()
    def everything_follows_from_its_events(self) -> None:
        assert [fault for each in verify(self.provider.store) for fault in each.faults] == []

    @invariant()
    def who_said_stop_gets_nothing(self) -> None:
        statuses = self.provider.statuses()
        assert {number: statuses[f"+1{number}"] for number in self.reference.stopped} == dict.fromkeys(
            self.reference.stopped, "opted_out"
        )


def run(_folder: Path, rounds: int, from_seed: int) -> Tally:
    """``rounds`` steps or somewhat more, in stories of their own."""
    tally = Tally()

    class Counted(Story):
        def check_invariants(self, *arguments: object, **options: object) -> None:
            tally.rounds += 1
            super().check_invariants(*arguments, **options)

        def teardown(self) -> None:
            tally.counted["stories"] += 1
            tally.counted["files applied"] += len(self.reference.applied)
            tally.counted["undone"] += sum(each.undone for each in self.reference.applied.values())
            tally.counted["held"] += len(self.held) + len(self.released)
            super().teardown()

    chosen = settings(
        max_examples=1 + rounds // _STEPS_USUALLY,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(from_seed)(Counted), settings=chosen)
    except AssertionError as error:
        tally.faults.append(f"{error}\n" + "\n".join(getattr(error, "__notes__", ())))
    return tally
