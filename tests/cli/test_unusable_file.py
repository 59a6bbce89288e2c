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
BRAND = f'{ACME}brand: {{id: "9999"}}\n'
PAT = "pat@example.com"
GOING_BY_THE_LAST = "the file of customer acme cannot be used (see `alp-daemon check-config`); going by the"


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


@pytest.fixture(params=[break_, take_away])
def mailing(alp: Terminal, configure: Callable[[str], None], request: pytest.FixtureRequest) -> Terminal:
    """An installation with a subscriber, whose customer's file was sound once, and had a brand at the last."""
    was_read_by_a_daemon(alp)
    configure(BRAND)
    (alp.folder / "subscribers.csv").write_text(f"email,status,interests\n{PAT},opted_in,News\n")
    alp.json("import", "acme", str(alp.folder / "subscribers.csv"), "--by", "Ann")
    was_read_by_a_daemon(alp)
    request.param(alp)
    return alp


@pytest.mark.parametrize("named", ["9999", "acme"])
def test_who_wants_no_more_mail(mailing: Terminal, named: str) -> None:
    said = heard(mailing("unsubscribe", named, PAT, "--source", "end_user"))
    assert said.out == f"{PAT} is unsubscribed\n"
    story = heard(mailing("subscriber", named, PAT)).out
    assert f"{PAT} is unsubscribed; interests: News\n" in story
    assert "opted_in → unsubscribed" in story
    assert "end_user" in story


@pytest.mark.parametrize("named", ["9999", "acme"])
def test_nor_need_anybody_have_heard_of_the_address(mailing: Terminal, named: str) -> None:
    assert heard(mailing("unsubscribe", named, "new@example.com")).out == "new@example.com is unsubscribed\n"


@pytest.mark.parametrize("command", ["unsubscribe", "subscriber"])
def test_a_brand_that_no_daemon_has_read(alp: Terminal, configure: Callable[[str], None], command: str) -> None:
    was_read_by_a_daemon(alp)  # without its brand
    break_(alp)
    said = alp(command, "acme", PAT)
    assert (said.code, said.out) == (78, "")
    assert "acme.yaml" in said.err
    assert alp(command, "9999", PAT).code == 66


def test_a_brand_that_a_sound_file_has_given_up(alp: Terminal, configure: Callable[[str], None]) -> None:
    configure(BRAND)
    was_read_by_a_daemon(alp)
    configure(ACME)
    for named in ("9999", "acme"):
        assert alp("unsubscribe", named, PAT).code == 66
    was_read_by_a_daemon(alp)
    break_(alp)
    assert alp("unsubscribe", "9999", PAT).code == 66, "the daemon has read that, too"


def test_a_brand_that_has_moved_is_the_one_s_whose_file_is_sound(
    alp: Terminal, configure: Callable[[str], None]
) -> None:
    configure(BRAND)
    was_read_by_a_daemon(alp)
    (alp.folder / "customers" / "acme.yaml").rename(alp.folder / "customers" / "beta.yaml")
    assert alp("unsubscribe", "9999", PAT).err == ""
    assert alp("subscriber", "beta", PAT).out.startswith(f"{PAT} is unsubscribed")


def test_a_brand_of_two_is_nobody_s_to_guess(alp: Terminal, configure: Callable[[str], None]) -> None:
    configure(BRAND)
    was_read_by_a_daemon(alp)
    moved = alp.folder / "customers" / "beta.yaml"
    (alp.folder / "customers" / "acme.yaml").rename(moved)
    store = open_store(alp.folder / "data" / "alp.db")
    codes.remember(store, [load_file(moved)])
    store.close()
    moved.write_text(BROKEN)
    assert alp("unsubscribe", "9999", PAT).code == 66
    heard(alp("unsubscribe", "acme", PAT))
