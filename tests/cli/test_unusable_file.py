"""A customer whose file is broken or gone: who wants to be out is heard all the same; what goes by the file waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alp_daemon.customers import load_file
from alp_daemon.services.addresses import codes
from alp_daemon.store.store import open_store
from tests.cli.conftest import ACME, ANN, JOE, Said, Terminal

LOCAL = "020 7946 0123"
"""A number of the customer's region, as it is written there."""
BROKEN = f"{ACME}region: GB\nnonsense: [\n"
GOING_BY_THE_LAST = "the file of customer acme cannot be used (see `alp-daemon check-config`); going by the name,"


def was_read_by_a_daemon(alp: Terminal) -> None:
    store = open_store(alp.folder / "data" / "alp.db")
    codes.remember(store, [load_file(alp.folder / "customers" / "acme.yaml")])
    store.close()


def break_(alp: Terminal) -> None:
    (alp.folder / "customers" / "acme.yaml").write_text(BROKEN)


def take_away(alp: Terminal) -> None:
    (alp.folder / "customers" / "acme.yaml").unlink()


def history_of(alp: Terminal, number: str) -> list[tuple[str, str, str]]:
    story = alp.json("status", "acme", number)["history"]
    return [(event["source"], event["status_before"], event["status_after"]) for event in story]


@pytest.fixture(params=[break_, take_away])
def unusable(alp: Terminal, configure: Callable[[str], None], request: pytest.FixtureRequest) -> Terminal:
    """An installation with two numbers on its list, whose customer's file was sound once."""
    alp.json("process", "acme", alp.file("members.csv"))
    configure(f"{ACME}region: GB\n")
    was_read_by_a_daemon(alp)
    request.param(alp)
    return alp


def heard(said: Said) -> Said:
    """What a command says that goes by the last sound file, and that it says so."""
    assert said.code == 0, said.err
    assert GOING_BY_THE_LAST in said.err
    return said


def test_a_text(unusable: Terminal) -> None:
    said = heard(unusable("message", "acme", JOE, "Stop. Thank you", "--id", "m1"))
    assert "opt_out: the number is opted_out\nreply: Acme Water: you are unsubscribed" in said.out
    assert history_of(unusable, JOE)[-1] == ("end_user", "opted_in", "opted_out")
    heard(unusable("message", "acme", JOE, "acme"))
    assert history_of(unusable, JOE)[-1] == ("end_user", "opted_out", "opted_in"), "by the keyword of that file"
    heard(unusable("message", "acme", ANN, "Who is this?"))
    assert "Who is this?" in heard(unusable("messages", "acme")).out


def test_an_opt_out(unusable: Terminal) -> None:
    said = heard(unusable("opt-out", "acme", JOE, "--source", "end_user", "--tag", "f-12"))
    assert said.out == f"{JOE} is opted_out\n"
    assert history_of(unusable, JOE)[-1] == ("end_user", "opted_in", "opted_out")
    assert unusable.json("status", "acme", JOE)["tags"] == []


def test_how_a_number_stands(unusable: Terminal) -> None:
    assert heard(unusable("status", "acme", ANN)).out == f"{ANN} is opted_in, tags: f-13\n"
    assert heard(unusable("number", ANN, "--customer", "acme")).out.count("absent → opted_in") == 1
    assert heard(unusable("status", "acme", LOCAL)).out == "+442079460123 is absent\n", "by the region of that file"


@pytest.mark.parametrize("command", [("opt-in",), ("suspend",), ("reactivate",)], ids=" ".join)
def test_what_goes_by_the_file_waits_for_it(unusable: Terminal, command: tuple[str, ...]) -> None:
    is_there = (unusable.folder / "customers" / "acme.yaml").exists()
    said = unusable(*command, "acme", JOE)
    assert (said.code, said.out) == (78 if is_there else 66, "")
    assert "acme.yaml" in said.err
    assert history_of(unusable, JOE) == [("file", "absent", "opted_in")]


@pytest.mark.parametrize("command", [("message", "acme", JOE, "STOP"), ("opt-out", "acme", JOE)], ids=" ".join)
def test_a_customer_that_no_daemon_has_read(alp: Terminal, command: tuple[str, ...]) -> None:
    break_(alp)
    said = alp(*command)
    assert (said.code, said.out) == (78, "")
    assert "acme.yaml" in said.err
    assert alp("message", "amce", JOE, "STOP").code == 66


def test_a_sound_file_counts_before_what_was_read(alp: Terminal, configure: Callable[[str], None]) -> None:
    was_read_by_a_daemon(alp)
    configure(ACME.replace("name: Acme Water", "name: Acme Gas"))
    said = alp("message", "acme", JOE, "STOP")
    assert (said.code, said.err) == (0, "")
    assert "Acme Gas: you are unsubscribed" in said.out
