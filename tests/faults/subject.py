"""One customer among many in a long run: the ways in that it uses, its last file, and its list as it has to be."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.crash.model import Rows, exported
from tests.eventually import eventually
from tests.faults.campaign import Tally
from tests.faults.connections import entered
from tests.faults.installation import Door, Installation
from tests.faults.reference import Reference
from tests.services.provider import MODES

Chance = random.Random

NUMBERS = [f"21255501{number:02}" for number in range(20)]
"""So few that the guard finds no file's effect on the list worth a word."""
TAGS = ("north", "south", "board")
_YAML = """\
name: Customer {number}
keyword: JOIN
codes: ["{code}"]
modes: [{modes}]
feeds:
"""
_SAMPLE = "Phone,Feeder\n2125550100,north\n"
_FEED = '  {mode}: {{match: "{mode}-*.csv", mode: {mode}, phones: [Phone], tags: [{{column: Feeder}}]}}\n'


def id_of(number: int) -> str:
    return f"customer-{number:02}"


def yaml_of(number: int) -> str:
    """A customer whose plan has all modes, with a feed for each, and with a short code of its own."""
    return _YAML.format(number=number, code=_code(number), modes=", ".join(MODES)) + "".join(
        _FEED.format(mode=mode) for mode in MODES
    )


def installed(folder: Path, customers: int) -> Installation:
    """So many of them, with an approval for each of their feeds."""
    installation = Installation(folder, customers={id_of(number): yaml_of(number) for number in range(customers)})
    sample = str(installation.provider.write("sample.csv", _SAMPLE))
    for number in range(customers):
        for mode in MODES:
            installation.provider.done("approve", id_of(number), "--feed", mode, "--sample", sample, "--by", "ann")
    return installation


def some_rows(chance: Chance) -> Rows:
    return [(chance.choice(NUMBERS), chance.choice(TAGS)) for _ in range(chance.randint(1, 30))]


def as_file(feed: str, rows: Rows) -> bytes:
    """Such a file as the feed takes: but for ``preformatted`` with a header."""
    header = [] if feed == "preformatted" else [("Phone", "Feeder")]
    return "".join(f"{phone},{tag}\n" for phone, tag in [*header, *rows]).encode()


def _code(number: int) -> str:
    return str(55500 + number)


@dataclass(slots=True)
class _Sent:
    """A file on its way. ``held``: the guard has a reason to hold it. ``refused``: nobody can read it."""

    name: str
    feed: str
    rows: Rows
    held: bool = False
    refused: bool = False


@dataclass
class Subject:
    """Its files come one after the other; those of many subjects side by side."""

    installation: Installation
    door: Door
    number: int
    api: httpx.Client
    gateway: httpx.Client
    tally: Tally
    reference: Reference = field(default_factory=Reference)
    sent: _Sent | None = None
    names: int = 0

    @property
    def id(self) -> str:
        return id_of(self.number)

    # Files

    def send(self, chance: Chance) -> None:
        """A file by any way in. One of ten has more rows without a number than with one, and is held."""
        feed = chance.choice([*MODES, "preformatted"])
        rows = some_rows(chance)
        bad = len(rows) + 1 if chance.random() < 0.1 else 0
        sent = _Sent(self.new_name(feed), feed, rows, held=bad > 0)
        self._hand_over(sent, as_file(feed, [*rows, *[("nobody", "north")] * bad]), chance)

    def send_garbage(self, chance: Chance) -> None:
        self._hand_over(_Sent(self.new_name("append"), "append", [], refused=True), chance.randbytes(2_000), chance)

    def new_name(self, feed: str) -> str:
        self.names += 1
        return f"{feed}-{self.number:02}-{self.names:06}.csv"

    def _hand_over(self, sent: _Sent, content: bytes, chance: Chance) -> None:
        self.settle(chance)
        self.sent = sent
        chance.choice((self._by_ftp, self._by_ftps, self._dropped, self._by_api))(sent, content)

    def _by_ftp(self, sent: _Sent, content: bytes, *, tls: bool = False) -> None:
        ftp = entered(self.door, tls=tls)
        if sent.feed == "preformatted":
            ftp.cwd(sent.feed)
        ftp.storbinary(f"STOR {sent.name}", io.BytesIO(content))
        ftp.quit()

    def _by_ftps(self, sent: _Sent, content: bytes) -> None:
        self._by_ftp(sent, content, tls=True)

    def _dropped(self, sent: _Sent, content: bytes) -> None:
        folder = self.installation.provider.folder / "data/drop" / self.id
        path = folder / ("preformatted" if sent.feed == "preformatted" else "") / sent.name
        hidden = path.with_name(f".{sent.name}")
        hidden.write_bytes(content)
        hidden.rename(path)

    def _by_api(self, sent: _Sent, content: bytes) -> None:
        answer = self.api.post("/api/v1/uploads", params={"filename": sent.name, "feed": sent.feed}, content=content)
        self.tally.expect(answer.status_code == 202, f"{sent.name}: {answer.status_code} {answer.text[:200]}")

    def settle(self, chance: Chance) -> None:
        """Until its last file is worked. What is held is released or discarded, and the reference hears of it."""
        while self.sent is not None:
            sent, row = self.sent, self._worked(self.sent.name)
            upload = int(row["id"])
            self.tally.counted[f"file {row['state']}"] += 1
            if row["state"] == "held" and sent.held and chance.random() < 0.5:
                self._decide("release", upload)
                sent.held = False
                continue
            if row["state"] == "held" and (sent.held or sent.refused):
                self._decide("discard", upload)
            elif row["state"] == "applied" and not (sent.held or sent.refused):
                self.reference.file(upload, sent.feed, sent.rows)
            else:
                expected = row["state"] == "rejected" and sent.refused
                self.tally.expect(expected, f"{sent.name}: {row['state']} ({row['reason']})")
            self.sent = None

    def _worked(self, name: str) -> dict[str, Any]:
        query = "SELECT * FROM uploads WHERE customer = ? AND name = ? AND state <> 'received'"
        found: list[dict[str, Any]] = []
        eventually(
            lambda: found.extend(self.installation.provider.rows(query, self.id, name)) or found,
            otherwise=lambda: f"{self.id}: {name} is not worked; {self.installation.provider.log()[-600:]}",
        )
        return found[0]

    def _decide(self, verb: str, upload: int) -> None:
        self.installation.provider.done(verb, str(upload), "--by", "ann")

    # People

    def undo(self, chance: Chance) -> None:
        """One of the last files, whether that may be undone or not."""
        self.settle(chance)
        if not self.reference.applied:
            return
        upload = chance.choice(list(self.reference.applied)[-3:])
        allowed = self.reference.may_undo(upload)
        done = self.installation.provider.run("undo", str(upload), "--by", "ann")
        self.tally.expect(done.code == (0 if allowed else 77), f"undo {upload}: {done.code} {done.stderr[-200:]}")
        if allowed:
            self.reference.undo(upload)

    def text(self, chance: Chance) -> None:
        """A message, which the gateway sends twice now and then."""
        self.settle(chance)
        number, (text, means) = chance.choice(NUMBERS), chance.choice(self._texts())
        body = {"id": f"{self.id}-{self.names}-{chance.random()}", "from": f"+1{number}", "to": _code(self.number)}
        for _ in range(chance.choice((1, 1, 1, 2))):
            answer = self.gateway.post("/api/v1/messages", json={**body, "text": text})
            self.tally.expect(answer.status_code == 200, f"{text}: {answer.status_code} {answer.text[:200]}")
        means(number)

    def _texts(self) -> Sequence[tuple[str, Callable[[str], None]]]:
        return (
            ("STOP", self.reference.stop),
            ("Stop. Thank you", self.reference.stop),
            ("JOIN", self.reference.keyword),
            ("who is this", lambda _: None),
        )

    def command(self, chance: Chance) -> None:
        """One to three commands in one call."""
        self.settle(chance)
        numbers = chance.sample(NUMBERS, chance.randint(1, 3))
        commands = [(chance.choice(_COMMANDS), number, chance.choice(TAGS)) for number in numbers]
        told = [{"command": name, "number": f"+1{number}", "tags": [tag]} for name, number, tag in commands]
        answer = self.api.post("/api/v1/manage-optin", json=told)
        self.tally.expect(answer.status_code == 200, f"{told}: {answer.status_code} {answer.text[:200]}")
        for (name, number, tag), got in zip(commands, answer.json(), strict=True):
            carried_out = self.reference.command(name, number, frozenset([tag]))
            self.tally.expect(carried_out == ("error" not in got), f"{name}: {got}")

    def look(self, chance: Chance) -> None:
        """What programs ask for."""
        for path in (f"/api/v1/numbers/+1{chance.choice(NUMBERS)}", "/api/v1/numbers?limit=7", "/readyz", "/metrics"):
            answer = self.api.get(path)
            self.tally.expect(answer.status_code in (200, 404), f"{path}: {answer.status_code} {answer.text[:200]}")

    def is_as_it_has_to_be(self) -> bool:
        return self.installation.provider.export(self.id) == exported(self.reference.numbers)


_COMMANDS = ("opt_in", "opt_out", "suspend", "reactivate", "add_tags", "remove_tags")
