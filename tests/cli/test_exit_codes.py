"""The exit code tells a scheduler whether to be glad, to try again, or not to send the file again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.cli.conftest import ACME, ANN, EVE, JOE, MEMBERS, Terminal
from tests.program import PROGRAM


@pytest.fixture
def busy(alp: Terminal) -> Terminal:
    """Upload 1 is applied; upload 2 is held, and would opt Joe and Ann out."""
    assert alp("process", "acme", alp.file("members.csv")).code == 0
    assert alp("process", "acme", alp.file("full.csv", f"Phone\n{EVE}\n")).code == 79
    return alp


@pytest.mark.parametrize(
    "arguments",
    [
        ["process", "acme", "members.csv"],
        ["status", "acme", JOE],
        ["number", JOE],
        ["opt-out", "acme", EVE],
        ["opt-in", "acme", JOE],
        ["release", "2", "--by", "Ann"],
        ["discard", "2", "--by", "Ann"],
        ["undo", "1", "--by", "Ann"],
        ["show", "1"],
        ["uploads"],
        ["check-config"],
        ["usage", "acme"],
        ["export", "acme"],
        ["message", "acme", JOE, "?"],
        ["import", "acme", "--starts-empty", "--by", "Ann"],
        ["--version"],
        ["--help"],
        ["process", "--help"],
    ],
    ids=" ".join,
)
def test_0_done(busy: Terminal, arguments: list[str]) -> None:
    said = busy(*arguments)
    assert (said.code, bool(said.out)) == (0, True), said.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Usage: alp-daemon"),
        (["explode"], "No such command 'explode'"),
        (["process", "acme"], "Missing argument 'FILE'"),
        (["release", "2"], "Missing option '--by'"),
        (["release", "two", "--by", "Ann"], "'two' is not a valid integer"),
        (["uploads", "--state", "lost"], "'lost' is not one of"),
        (["preview", "acme", "members.csv", "--out", "members.csv"], "members.csv is the file that is previewed"),
        (["preview", "acme", "members.csv", "--out", "-", "--json"], "would both write to stdout"),
        (["opt-in", "acme", "212 555 01234"], "'2125•••1234': No such number is in use"),
        (["opt-in", "acme", "123"], "'123': No such number is in use"),
        (["opt-in", "acme", EVE, "--tag", "a,b"], "tag 'a,b': a tag may not hold commas or semicolons"),
        (["opt-in", "acme", EVE, "--by", " "], "'--by': expected a name"),
        (["approve", "acme", "--sample", "members.csv", "--by", ""], "'--by': expected a name"),
        (["show", "99999999999999999999"], "99999999999999999999 is not in the range"),
        (["release", "0", "--by", "Ann"], "0 is not in the range"),
        (["uploads", "--limit", "99999999999999999999"], "99999999999999999999 is not in the range"),
        (["messages", "acme", "--limit", "0"], "0 is not in the range"),
        (["uploads", "--limit", "100001"], "100001 is not in the range 1<=x<=100000"),
        (["export", "acme", "--out", "/"], "--out /: expected the name of a file"),
        (["preview", "acme", "members.csv", "--out", "customers"], "--out customers: expected the name of a file"),
        (["new-customer", "sub/beta", "--sample", "members.csv"], "expected a name of small letters, digits, - and _"),
        (["new-customer", "../beta", "--sample", "members.csv"], "expected a name of small letters, digits, - and _"),
        (["new-customer", "Beta", "--sample", "members.csv"], "customer 'Beta': expected a name of small letters"),
        (["new-customer", "b" * 64, "--sample", "members.csv"], "of at most 63 characters"),
        (
            ["new-customer", "beta", "--sample", "members.csv", "--region", "us"],
            "alp-daemon: region: expected a country's two capital letters, such as US\n",
        ),
        (
            ["new-customer", "beta", "--sample", "members.csv", "--keyword", "STOP"],
            'alp-daemon: keyword: the keyword "STOP" is or holds an opt-out word',
        ),
        (["usage", "acme", "--month", "11-2026"], "expected a year and a month, such as 2026-11"),
        (["import", "acme", "--by", "Ann"], "say either FILE or --starts-empty"),
        (["process", "acme", "alp.yaml"], "no feed of acme takes this name; say --feed"),
        (["unlock", "somebody"], "'somebody' is no IP address"),
        (["credentials"], "Usage: alp-daemon credentials"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_64_usage(alp: Terminal, arguments: list[str], message: str) -> None:
    said = alp(*arguments)
    assert (said.code, said.out) == (64, "")
    assert message in said.err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("members.csv", "Tel,Feeder\n1,2\n", "The file has: Tel, Feeder"),
        ("members.csv", "row,column,value,reason\n2,Phone,x,invalid\n", "send the full list"),
        ("members.csv", "%PDF-1.4", "PDF"),
    ],
)
def test_65_the_file_is_unusable(alp: Terminal, name: str, content: str, message: str) -> None:
    said = alp("process", "acme", alp.file(name, content))
    assert said.code == 65
    assert message in said.out
    assert alp("preview", "acme", name).code == 65


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["process", "nobody", "members.csv"], "there is no customer 'nobody'"),
        (["status", "../acme", JOE], "there is no customer '../acme'"),
        (["process", "acme", "gone.csv"], "gone.csv: there is no such file"),
        (["process", "acme", "members.csv", "--feed", "other"], "it has: members, full, preformatted"),
        (["preview", "acme", "members-gone.csv"], "gone.csv: there is no such file"),
        (
            ["approve", "acme", "--sample", "gone.csv", "--feed", "full", "--by", "Ann"],
            "gone.csv: there is no such file",
        ),
        (["import", "acme", "gone.csv", "--by", "Ann"], "gone.csv: there is no such file"),
        (["line-types", "load", "gone.csv"], "gone.csv: there is no such file"),
        (["show", "99"], "there is no upload 99"),
        (["release", "99", "--by", "Ann"], "there is no upload 99"),
        (["discard", "99", "--by", "Ann"], "there is no upload 99"),
        (["undo", "99", "--by", "Ann"], "there is no upload 99"),
        (["number", EVE], "+1212•••0125 has never been on any list"),
        (["unlock", "192.0.2.7"], "192.0.2.7 is not locked out"),
        (["credentials", "revoke", "acme", "nobody"], "has no live log-in 'nobody'"),
        (["credentials", "list", "nobody"], "there is no customer 'nobody'"),
        (["uploads", "--customer", "nobody"], "there is no customer 'nobody'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_66_not_found(alp: Terminal, arguments: list[str], message: str) -> None:
    said = alp(*arguments)
    assert (said.code, said.out) == (66, "")
    assert message in said.err


def test_69_unavailable(alp: Terminal) -> None:
    assert alp("reload").code == 69
    said = alp("export", "acme", "--out", "no/such/folder/list.csv")
    assert said.code == 69
    assert said.err == "alp-daemon: no/such/folder/list.csv: No such file or directory\n"
    (alp.folder / "data" / "alp.db").write_text("These are my holiday pictures. " * 100)
    for extra in ("alp.db-wal", "alp.db-shm"):
        (alp.folder / "data" / extra).unlink(missing_ok=True)
    assert alp("uploads").code == 69


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["undo", "2", "--by", "Ann"], "upload 2 is held; only an applied upload can be undone"),
        (["release", "1", "--by", "Ann"], "upload 1 is applied, not held"),
        (["discard", "1", "--by", "Ann"], "upload 1 is applied"),
        (["suspend", "acme", EVE], "it is not on the list"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_77_refused(busy: Terminal, arguments: list[str], message: str) -> None:
    said = busy(*arguments)
    assert (said.code, said.out) == (77, "")
    assert message in said.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may leave files where the daemon cannot write")
def test_77_root_beside_a_daemon_of_another_user(alp: Terminal) -> None:
    database = alp.folder / "data" / "alp.db"
    os.chown(database, 12345, -1)
    said = alp("process", "acme", alp.file("members.csv"))
    assert said.code == 77
    assert f"{database} belongs to #12345" in said.err
    assert "sudo -u #12345" in said.err
    assert list((alp.folder / "data").glob("spool/acme/*")) == []


def test_77_only_the_end_user_lifts_an_opt_out(busy: Terminal) -> None:
    assert busy("opt-out", "acme", JOE).code == 0
    said = busy("opt-in", "acme", JOE)
    assert said.code == 77
    assert "+1212•••0123 cannot be changed by opt_in" in said.err
    assert "only its own message with the keyword ACME can lift that" in said.err
    assert busy("message", "acme", JOE, "ACME").code == 0
    assert busy("opt-in", "acme", JOE).code == 0


def test_77_undo_after_a_later_file(busy: Terminal) -> None:
    assert busy("process", "acme", "members.csv").code == 0
    assert busy("undo", "1", "--by", "Ann").code == 77
    assert busy("undo", "1", "--by", "Ann", "--anyway").code == 0


def test_78_configuration(alp: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    (alp.folder / "customers" / "acme.yaml").write_text(ACME.replace("mode: append\n", "mode: apend\n"))
    said = alp("process", "acme", "members.csv")
    assert said.code == 78
    assert "acme.yaml:7:11" in said.err
    assert alp("check-config").code == 78

    assert alp("uploads", "--config", "gone.yaml").code == 78
    (alp.folder / "alp.yaml").write_text("data_dri: x\n")
    assert "did you mean" in alp("uploads").err
    monkeypatch.delenv("ALP_CONFIG")
    said = alp("uploads")
    assert said.code == 78
    assert "no configuration: neither configs/alp.yaml nor /etc/alp-daemon/alp.yaml can be read" in said.err


@pytest.mark.parametrize("case", ["cut by the guard", "not approved"])
def test_79_held(alp: Terminal, case: str) -> None:
    if case == "not approved":
        (alp.folder / "customers" / "acme.yaml").write_text(ACME.replace("Feeder", "Street"))
        assert alp("process", "acme", "members.csv").code == 79
    else:
        assert alp("process", "acme", alp.file("members.csv", "Phone,Feeder\nbad,1\n")).code == 79
    assert alp("export", "acme").out == "number,status,tags\n"


FULL_DISK = """
    import resource, sys
    from alp_daemon.cli import main
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
    main(sys.argv[2:])
"""


def test_75_a_full_disk(busy: Terminal) -> None:
    def on_a_full_disk(size: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(size), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    before = busy("export", "acme").out
    wal = (busy.folder / "data" / "alp.db-wal").stat().st_size
    rows = "Phone,Feeder\n" + "".join(f"+1212555{index:04},{index}\n" for index in range(900))
    for size in (wal + 20_000, 5_000):  # the database is full; already the spool is
        done = on_a_full_disk(size, "process", "acme", busy.file("members.csv", rows))
        assert (done.returncode, done.stdout) == (75, ""), done.stderr
        assert "try again" in done.stderr
        assert "Traceback" not in done.stderr
    assert busy("export", "acme").out == before
    assert busy("process", "acme", busy.file("members.csv", rows)).code == 0


# A command of its own, since none of ours is known to fail so.
FAULTY = """
    import sys, types
    import click
    from alp_daemon import cli

    @click.command()
    def fails():
        raise RuntimeError("a wheel came off")

    sys.modules["alp_daemon.cli.faulty"] = types.SimpleNamespace(fails_command=fails)
    cli._MODULES["fails"] = "faulty"
    cli.main(["fails"])
"""


def test_70_a_fault_of_this_program() -> None:
    command = [sys.executable, "-c", textwrap.dedent(FAULTY)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (70, "")
    assert "RuntimeError: a wheel came off" in done.stderr
    assert done.stderr.endswith(
        "alp-daemon: an error of this program (RuntimeError); what is known of it stands above\n"
    )


def test_130_ended_by_the_keyboard(alp: Terminal) -> None:
    """A pipe that nobody writes to keeps the command waiting."""
    os.mkfifo(alp.folder / "members-pipe.csv")
    command = [*PROGRAM, "import", "acme", "members-pipe.csv"]
    with (
        subprocess.Popen([*command, "--by", "Ann"], stderr=subprocess.PIPE, text=True) as process,
        (alp.folder / "members-pipe.csv").open("w"),  # returns when it reads
    ):
        process.send_signal(signal.SIGINT)
        talk = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in talk


@pytest.mark.parametrize("text", ["STOP caf\udce9", "STOP \ud83d"])
def test_a_stop_that_is_not_utf_8_is_heard(alp: Terminal, text: str) -> None:
    answer = alp.json("message", "acme", JOE, text)
    assert (answer["intent"], answer["status"]) == ("opt_out", "opted_out")
    event = alp.json("status", "acme", JOE)["history"][-1]
    assert event["note"].startswith("STOP ")


def test_a_file_whose_name_is_not_utf_8_is_worked(alp: Terminal) -> None:
    name = alp.file("members-caf\udce9.csv", MEMBERS)
    assert alp("preview", "acme", name).code == 0
    assert alp("process", "acme", name).code == 0
    assert alp.json("uploads")[0]["name"] == "members-caf\ufffd.csv"


@pytest.fixture(params=["", "1"], ids=["kept back", "written at once"])
def unbuffered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command prints may fail when it is said or when the command ends."""
    monkeypatch.setenv("PYTHONUNBUFFERED", request.param)


@pytest.mark.usefixtures("unbuffered")
def test_a_reader_that_has_seen_enough(busy: Terminal) -> None:
    """``alp-daemon export acme | head -1``"""
    command = [*PROGRAM, "export", "acme"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 0


@pytest.mark.usefixtures("unbuffered")
@pytest.mark.parametrize("numbers", [0, 900])
def test_75_an_export_to_a_full_disk(busy: Terminal, numbers: int) -> None:
    """``alp-daemon export acme > members.csv``, of a list that fits a buffer and of one that does not."""
    rows = "Phone,Feeder\n" + "".join(f"+1212555{index:04},{index}\n" for index in range(numbers))
    busy("process", "acme", busy.file("members.csv", rows))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*PROGRAM, "export", "acme"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (75, "alp-daemon: the system: No space left on device\n")


def test_talk_is_on_stderr_and_data_on_stdout(busy: Terminal) -> None:
    said = busy("preview", "acme", busy.file("members.csv", MEMBERS), "--out", "new.csv", "--json")
    assert said.err == "wrote new.csv: 2 numbers with their tags in the standard format\n"
    assert said.json["rows"]["listed"] == 2
    assert ANN in busy("export", "acme").out
