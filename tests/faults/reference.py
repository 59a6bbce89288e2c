"""What a list is after files, messages, commands and undos: the rules once more, an address at a time.

Files are the second opinion of ``tests.crash.model``; this adds what people say, and what an undo takes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.crash import model
from tests.crash.model import List, Rows

_OUT = "opted_out"
# Per command: the status that follows, by the status before. A status that is missing refuses the command.
_COMMANDS: Mapping[str, Mapping[str, str]] = {
    "opt_in": {"absent": "opted_in", "opted_in": "opted_in", "suspended": "opted_in"},
    "opt_out": dict.fromkeys(("absent", "opted_in", "suspended", _OUT), _OUT),
    "suspend": {"opted_in": "suspended", "suspended": "suspended"},
    "reactivate": {"opted_in": "opted_in", "suspended": "opted_in"},
    "add_tags": {"opted_in": "opted_in", "suspended": "suspended"},
    "remove_tags": {"opted_in": "opted_in", "suspended": "suspended", _OUT: _OUT},
}
COMMANDS = tuple(_COMMANDS)
_ADDING = ("opt_in", "reactivate", "add_tags")


@dataclass
class _Applied:
    feed: str
    listed: set[str]
    before: List
    after: List
    spoken_for: set[str] = field(default_factory=set)
    """Numbers that a person has decided about since."""
    undone: bool = False


@dataclass
class Reference:
    """A list as it has to be, and who said STOP and nothing else since."""

    numbers: List = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    applied: dict[int, _Applied] = field(default_factory=dict)
    """In the order in which they were applied."""

    def file(self, upload: int, feed: str, rows: Rows) -> None:
        before = dict(self.numbers)
        model.apply(self.numbers, rows, feed)
        self.applied[upload] = _Applied(feed, {number for number, _ in rows}, before, dict(self.numbers))

    def stop(self, number: str) -> None:
        """The end user's own, by a message or a command that says so."""
        self._decide(number, _OUT, self._tags(number))
        self.stopped.add(number)

    def keyword(self, number: str) -> None:
        self._decide(number, "opted_in", self._tags(number))
        self.stopped.discard(number)

    def command(self, name: str, number: str, tags: frozenset[str]) -> bool:
        """Whether the command is carried out; refused, it changes nothing."""
        before = self.numbers.get(number)
        status = _COMMANDS[name].get(before[0] if before else "absent")
        if status is None:
            return False
        had = self._tags(number)
        self._decide(number, status, had | tags if name in _ADDING else had - tags)
        return True

    def may_undo(self, upload: int) -> bool:
        """Not twice, and not below a later file of the same feed."""
        later = list(self.applied)[list(self.applied).index(upload) + 1 :]
        own = self.applied[upload]
        return not own.undone and not any(
            self.applied[each].feed == own.feed and not self.applied[each].undone for each in later
        )

    def undo(self, upload: int) -> None:
        own = self.applied[upload]
        own.undone = True
        for number, left in own.after.items():
            was = own.before.get(number)
            if was == left or self.numbers.get(number) != left or number in own.spoken_for:
                continue
            if was is None and self._is_of_another_feed(number, upload):
                continue
            if was is None:
                del self.numbers[number]
            else:
                self.numbers[number] = was

    def _is_of_another_feed(self, number: str, upload: int) -> bool:
        """Whether a file of another feed has listed it since."""
        later = list(self.applied.values())[list(self.applied).index(upload) + 1 :]
        own = self.applied[upload].feed
        return any(each.feed != own and not each.undone and number in each.listed for each in later)

    def _tags(self, number: str) -> frozenset[str]:
        return self.numbers.get(number, ("", frozenset[str]()))[1]

    def _decide(self, number: str, status: str, tags: frozenset[str]) -> None:
        self.numbers[number] = (status, tags)
        for each in self.applied.values():
            each.spoken_for.add(number)
