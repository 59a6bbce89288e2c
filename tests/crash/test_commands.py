"""Every other command that writes, killed before and after each single statement it sends to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.crash.conftest import ACME, Copy
from tests.crash.outcome import assert_sound, outcome
from tests.crash.processes import Step
from tests.crash.provider import Provider

Prepare = Callable[[Provider], list[str]]
"""Brings a provider to where a command can be given, and returns the command."""

CONNECTION = "alp_daemon.store.sqlitefile:Connection.execute"
STATEMENTS = [CONNECTION, "alp_daemon.store.sqlite:SqliteTransaction._execute"]

SAMPLE = 4
"""Where the statements are many and of one kind, the process dies of each fourth only."""

UPDATE = "Phone,Feeder\n2125550101,east\n2125550102,north\n2125550105,east\n"
REFUSED = "Phone,Feeder\n2125550101,east\nnobody,east\nno one,east\n"
"""Held: more of its rows are refused than the guard lets through."""
GO_LIVE = (
    "number,status,tags,source,consent_date\n+12125550102,opted_out,,paper,2020-01-31\n+12125550109,opted_in,x,,\n"
)


def updated(provider: Provider) -> list[str]:
    provider.done("process", "acme", str(provider.write("members-update.csv", UPDATE)))
    return ["undo", "2", "--by", "ann"]


def held(provider: Provider) -> None:
    finished = provider.run("process", "acme", str(provider.write("members-refused.csv", REFUSED)))
    assert finished.code == 79, finished.stderr


def released(provider: Provider) -> list[str]:
    held(provider)
    return ["release", "2", "--by", "ann"]


def discarded(provider: Provider) -> list[str]:
    held(provider)
    return ["discard", "2", "--by", "ann"]


def imported(provider: Provider) -> list[str]:
    return ["import", "acme", str(provider.write("go-live.csv", GO_LIVE)), "--by", "ann"]


def stopped(provider: Provider) -> list[str]:
    return ["message", "acme", "2125550101", "Stop. Thank you", "--id", "m2"]


@pytest.mark.parametrize("prepare", [updated, released, discarded, imported, stopped], ids=lambda p: p.__name__)
def test_a_command_is_done_or_was_never_given(made: Provider, copy: Copy, prepare: Prepare) -> None:
    prepared = copy(made)
    command = prepare(prepared)
    before = outcome(prepared)
    for statement in STATEMENTS:
        *seen, after = deaths(lambda: copy(prepared), command, statement)
        assert before != after
        done = [*seen, after].index(after)
        assert seen == [before] * done + [after] * (len(seen) - done)


def deaths(provider: Callable[[], Provider], command: list[str], statement: str) -> Iterator[dict[str, Any]]:
    """What a death after the first statement leaves, after the second, and so on until the command comes through."""
    for nth in count(1):
        killed = provider()
        finished = killed.run(*command, steps=[Step(statement, "after", nth=nth)])
        assert_sound(killed)
        yield outcome(killed)
        if finished.code == 0:
            return


def test_an_approval_that_was_cut_short_can_be_given_again(tmp_path: Path, copy: Copy) -> None:
    provider = Provider(tmp_path / "provider")
    provider.set_up({"acme": ACME})
    sample = str(provider.write("members.csv", UPDATE))
    assert provider.run("process", "acme", sample).code == 79
    command = ["approve", "acme", "--sample", sample, "--by", "ann"]
    outcomes = []
    for nth in count(1, SAMPLE):
        killed = copy(provider)
        finished = killed.run(*command, steps=[Step(CONNECTION, "after", nth=nth)])
        killed.done(*command)
        outcomes.append(outcome(killed))
        if finished.code == 0:
            break
    # Whoever approves a second time is not given a second log-in.
    assert len(outcomes[0]["credentials"]) == 1
    assert all(each == outcomes[-1] for each in outcomes)


def test_a_new_database_is_finished_by_the_next_command(tmp_path: Path) -> None:
    exports = []
    for nth in count(1, SAMPLE):
        provider = Provider(tmp_path / str(nth))
        provider.set_up({"acme": ACME})
        step = Step(CONNECTION, "after", nth=nth)
        finished = provider.run("opt-in", "acme", "2125550101", steps=[step])
        provider.done("opt-in", "acme", "2125550102")
        exports.append(provider.export())
        if finished.code == 0:
            break
    one = "number,status,tags\n+12125550102,opted_in,\n"
    both = "number,status,tags\n+12125550101,opted_in,\n+12125550102,opted_in,\n"
    done = exports.index(both)
    assert exports == [one] * done + [both] * (len(exports) - done)
    assert done > 3
