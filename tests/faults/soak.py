"""A long, quiet life: many customers, all ways in, a fault now and then. The lists are right and no process grows.

Two acts a second. What is flat is said in ``tests.faults.flat``; an hour of acts or so is what makes it tell much.
"""

from __future__ import annotations

import ftplib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx

from tests.crash.processes import Daemon
from tests.faults import clients, connections
from tests.faults.campaign import Tally
from tests.faults.connections import entered
from tests.faults.disk import locked
from tests.faults.flat import Watch, of_a_service
from tests.faults.installation import BODY, Installation
from tests.faults.subject import Subject, id_of, installed, yaml_of
from tests.services.provider import MODES

Chance = random.Random

CUSTOMERS = 20
_ACTS_FOR_A_CUSTOMER = 20
"""In a short run fewer customers come, so that each has something to do."""
_SECONDS_AN_ACT = 0.5
_ACTS_A_LOOK = 5
_JUDGED_FROM = 480
"""Looks, at 40 minutes of a process. By then a worker has had some hundred files."""
_CROWD = 40
"""At once: more than the daemon has threads for any kind of work."""
_HELD = "SELECT id FROM uploads WHERE customer = ? AND state = 'held'"
_PAGES = ("/console", "/console/uploads", "/console/held", "/console/lockouts")


@dataclass(frozen=True, slots=True)
class _Scene:
    """All that an act may need."""

    installation: Installation
    daemon: Daemon
    subjects: list[Subject]
    console: httpx.Client
    ways: list[clients.Way]
    chance: Chance
    tally: Tally
    numbers: Iterator[int]

    def anybody(self) -> Subject:
        return self.chance.choice(self.subjects)

    def rest(self) -> None:
        """Every file is worked, and nothing waits."""
        for subject in self.subjects:
            subject.settle(self.chance)
        self.installation.at_rest()
        for subject in self.subjects:
            self.dispose(subject)

    def dispose(self, subject: Subject) -> None:
        """Of what was cut off. Nothing of the customer's may be in work, since that could supersede it."""
        for row in self.installation.provider.rows(_HELD, subject.id):
            self.installation.provider.done("discard", str(row["id"]), "--by", "ann")


def _send(scene: _Scene) -> None:
    scene.anybody().send(scene.chance)


def _send_garbage(scene: _Scene) -> None:
    scene.anybody().send_garbage(scene.chance)


def _text(scene: _Scene) -> None:
    scene.anybody().text(scene.chance)


def _command(scene: _Scene) -> None:
    scene.anybody().command(scene.chance)


def _undo(scene: _Scene) -> None:
    scene.anybody().undo(scene.chance)


def _look(scene: _Scene) -> None:
    scene.anybody().look(scene.chance)
    for path in _PAGES:
        answer = scene.console.get(path)
        scene.tally.expect(answer.status_code == 200, f"{path}: {answer.status_code}")


def _cut_off(scene: _Scene) -> None:
    end, tls = scene.chance.choice(connections.ENDS), scene.chance.random() < 0.5
    connections.break_off(scene.anybody().door, _cut_name(scene), end, scene.chance, tls=tls)


def _kill_client(scene: _Scene) -> None:
    way = scene.chance.choice(scene.ways)
    part = BODY[: scene.chance.randrange(len(BODY))].encode()
    clients.kill_in_the_middle(way, scene.anybody().door, _cut_name(scene), part, scene.chance, scene.installation)


def _cut_name(scene: _Scene) -> str:
    return f"{scene.chance.choice(MODES)}-cut-{next(scene.numbers):06}.csv"


def _kill_worker(scene: _Scene) -> None:
    """One at work, as a rule: a file was sent just now."""
    scene.anybody().send(scene.chance)
    victims = list(scene.installation.provider.leases().values()) or scene.daemon.workers()
    with suppress(ProcessLookupError, IndexError):
        os.kill(scene.chance.choice(victims), signal.SIGKILL)


def _dispose(scene: _Scene) -> None:
    """As somebody does whose work it is: a backlog that grows for ever would be no quiet life."""
    subject = scene.anybody()
    subject.settle(scene.chance)
    scene.dispose(subject)


def _guess(scene: _Scene) -> None:
    address = f"127.9.0.{scene.chance.randint(1, 250)}"
    with suppress(ftplib.Error, EOFError), ftplib.FTP(timeout=30, source_address=(address, 0)) as ftp:
        ftp.connect("127.0.0.1", scene.subjects[0].door.server.port)
        ftp.login("customer", "guessed")
        scene.tally.faults.append(f"{address} came in with a guessed password")


def _lock_database(scene: _Scene) -> None:
    subject = scene.anybody()
    subject.settle(scene.chance)  # no command may be forked while this process has the database open
    with locked(scene.installation.provider.folder / "data"):
        subject.send(scene.chance)


def _reload(scene: _Scene) -> None:
    """A customer's file is saved again, with another name for people."""
    subject = scene.anybody()
    text = yaml_of(subject.number).replace("name: ", f"name: {next(scene.numbers)} ", 1)
    scene.installation.provider.write(f"customers/{subject.id}.yaml.new", text).replace(
        scene.installation.provider.folder / f"customers/{subject.id}.yaml"
    )
    os.kill(scene.daemon.pid, signal.SIGHUP)


_MIX: dict[Callable[[_Scene], None], int] = {
    _send: 400,
    _text: 100,
    _command: 150,
    _look: 100,
    _undo: 40,
    _send_garbage: 20,
    _cut_off: 60,
    _kill_client: 40,
    _dispose: 20,
    _guess: 40,
    _reload: 10,
    _lock_database: 10,
    _kill_worker: 9,
}
"""How many of a thousand acts."""
_WITHOUT_KILLS = {act: often for act, often in _MIX.items() if act is not _kill_worker}
"""After a third of all acts, so that two workers live long enough to be judged."""


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """So many acts."""
    tally, chance = Tally(), Chance(seed)
    customers = min(CUSTOMERS, 2 + rounds // _ACTS_FOR_A_CUSTOMER)
    installation = installed(folder, customers)
    with (
        installation.provider.daemon(environment=of_a_service()) as daemon,
        _scene(installation, daemon, customers, tally, chance) as scene,
    ):
        _rush_in(scene)
        watch = Watch(daemon, _JUDGED_FROM)
        _live(scene, watch, rounds)
        scene.rest()
        watch.judge(tally)
    for subject in scene.subjects:
        tally.expect(subject.is_as_it_has_to_be(), f"{subject.id}: its list is not what the rules say")
    cut = installation.provider.rows("SELECT name FROM uploads WHERE name LIKE '%-cut-%' AND state = 'applied'")
    tally.expect(not cut, f"applied though short: {cut}")
    installation.sound(tally)
    return tally


def _rush_in(scene: _Scene) -> None:
    """Everybody at once, so that what each thread of the daemon keeps for its work is there before memory is judged."""

    def visit(number: int) -> None:
        subject = scene.subjects[number % len(scene.subjects)]
        with entered(subject.door, tls=number % 2 == 0) as ftp:
            ftp.nlst("reports")
        for path in _PAGES:
            scene.console.get(path).raise_for_status()
        subject.api.get("/api/v1/numbers").raise_for_status()

    with ThreadPoolExecutor(_CROWD) as crowd:
        list(crowd.map(visit, range(3 * _CROWD)))


def _live(scene: _Scene, watch: Watch, rounds: int) -> None:
    began = time.monotonic()
    for number in range(rounds):
        mix = _MIX if number < rounds / 3 else _WITHOUT_KILLS
        (act,) = scene.chance.choices(list(mix), list(mix.values()))
        act(scene)
        scene.tally.rounds += 1
        scene.tally.counted[act.__name__.strip("_").replace("_", " ")] += 1
        if number % _ACTS_A_LOOK == 0:
            watch.look()
        time.sleep(max(0.0, began + (number + 1) * _SECONDS_AN_ACT - time.monotonic()))


@contextmanager
def _scene(
    installation: Installation, daemon: Daemon, customers: int, tally: Tally, chance: Chance
) -> Iterator[_Scene]:
    ports = daemon.ports()
    assert ports is not None
    url = f"http://127.0.0.1:{ports['web']}"
    with ExitStack() as stack:

        def client(**headers: str) -> httpx.Client:
            return stack.enter_context(httpx.Client(base_url=url, timeout=60, headers=headers))

        gateway = client(**_bearer(installation.token("--for", "gateway")))
        subjects = [
            Subject(
                installation,
                installation.door(daemon, installation.issued(id_of(number))),
                number,
                client(**_bearer(installation.token(id_of(number), "--for", "api"))),
                gateway,
                tally,
            )
            for number in range(customers)
        ]
        console = client()
        operator = installation.issued("ann", "operator")
        console.post("/login", data={"user": operator.user, "password": operator.password})
        ways = [way for way in clients.installed() if not way.looks_whole]
        yield _Scene(installation, daemon, subjects, console, ways, chance, tally, count())


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
