"""``alp.yaml``: an empty file works, the example shows every setting, and mistakes are all told at once."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from alp_daemon import settings
from alp_daemon.customers import load_dir
from alp_daemon.domain.keyword import DEFAULT_WORDS
from alp_daemon.problem import ConfigurationFileError
from alp_daemon.sections import MessageWords
from alp_daemon.settings import Settings

CONFIGS = Path(__file__).parents[2] / "configs"


def refusals(path: Path) -> list[str]:
    with pytest.raises(ConfigurationFileError) as caught:
        settings.load(path)
    return [str(problem).splitlines()[0] for problem in caught.value.problems]


def test_an_empty_file_has_every_default(write):
    loaded = settings.load(write("etc/alp.yaml", ""))
    folder = Path.cwd() / "etc"
    assert (loaded.data_dir, loaded.customers_dir) == (folder / "data", folder / "customers")
    assert (loaded.database_path, loaded.drop_dir) == (folder / "data/alp.db", folder / "data/drop")
    assert (loaded.ftp.port, loaded.ftp.tls, loaded.web.port) == (2121, None, 8080)
    assert (loaded.lockout.failures, loaded.lockout.window, loaded.lockout.block) == (
        4,
        timedelta(minutes=20),
        timedelta(hours=1),
    )
    assert loaded.messages == MessageWords()


def test_without_a_file_paths_start_at_the_current_folder(write):
    write("x", "")
    assert settings.load(None).data_dir == Path.cwd() / "data"


def test_paths_start_at_the_folder_of_the_file(write, monkeypatch):
    monkeypatch.setenv("HOME", "/home/alp")
    text = """\
        data_dir: ../var
        database: alp.db
        customers_dir: ~/customers
        ftp: {tls: {certificate: tls/crt.pem, key: /keys/key.pem}}
        smtp: {password_file: secret}
        """
    loaded = settings.load(write("etc/alp.yaml", text))
    folder = Path.cwd() / "etc"
    assert loaded.data_dir == folder / "../var"
    assert loaded.database_path == folder / "alp.db"
    assert loaded.customers_dir == Path("/home/alp/customers")
    assert loaded.ftp.tls is not None
    assert (loaded.ftp.tls.certificate, loaded.ftp.tls.key) == (folder / "tls/crt.pem", Path("/keys/key.pem"))
    assert loaded.smtp.password_file == folder / "secret"


@pytest.mark.parametrize("address", ["postgresql://alp@db.example.net/alp", "postgres:///?service=alp"])
def test_a_postgresql_database_has_no_file(write, address):
    loaded = settings.load(write("alp.yaml", f"database: {address}"))
    assert (loaded.database_address, loaded.database_path) == (address, None)


@pytest.mark.parametrize("place", ["/srv/alp/.customers", "/srv/alp/../alp/.customers/current"])
def test_operators_files_do_not_lie_where_old_versions_are_removed(write, place):
    assert refusals(write("alp.yaml", f"data_dir: /srv/alp\ncustomers_dir: {place}\n")) == [
        "alp.yaml:2:16: customers_dir: /srv/alp/.customers is where a node keeps its copy of the database's version;"
        " name another"
    ]


def test_operators_files_may_lie_in_the_data_folder(write):
    text = "data_dir: /srv/alp\ncustomers_dir: /srv/alp/customers\ncustomers_from: database\n"
    loaded = settings.load(write("alp.yaml", text))
    assert not loaded.customers_path.is_relative_to(loaded.customers_dir)


def test_every_mistake_at_once(write):
    text = """\
        database: mysql://db/alp
        ftp:
          port: 70000
          passive_ports: 6000-5000
          max_file_size: big
          tls: {certificate: a}
        lockout: {failures: 0, window: 0m, block: 99999d, allow: [10.0.0.0/8, localhost]}
        smtp: {password: hunter2, sender: nobody}
        messages: {opt_out: [], help: ["!"]}
        scan_evry: 5s
        """
    assert refusals(write("alp.yaml", text)) == [
        "alp.yaml:1:11: database: expected the path of an SQLite file, or postgresql://HOST/NAME",
        "alp.yaml:3:9: ftp.port: expected at most 65535",
        "alp.yaml:4:18: ftp.passive_ports: expected two ports, the lower first, such as 50000-50100",
        "alp.yaml:5:18: ftp.max_file_size: expected a size such as 500MB or 2GiB",
        'alp.yaml:6:3: ftp.tls: missing key "key"',
        "alp.yaml:7:21: lockout.failures: expected at least 1",
        "alp.yaml:7:32: lockout.window: expected a duration longer than 0",
        "alp.yaml:7:43: lockout.block: expected a duration of at most 36500d",
        "alp.yaml:7:71: lockout.allow[1]: expected an IP address or a network such as 10.0.0.0/8",
        'alp.yaml:8:8: smtp.password: unknown key; did you mean "password_file"?',
        "alp.yaml:8:35: smtp.sender: expected one e-mail address, such as ops@example.org",
        "alp.yaml:9:21: messages.opt_out: expected at least one entry",
        "alp.yaml:9:32: messages.help[0]: expected a word",
        'alp.yaml:10:1: scan_evry: unknown key; did you mean "scan_every"?',
    ]


@pytest.mark.parametrize("required", ["", ", required: no"])
def test_resumed_sessions_protect_nothing_beside_clear_data(write, required):
    text = f"ftp:\n  tls: {{certificate: a, key: b, require_session_reuse: yes{required}}}\n"
    assert refusals(write("alp.yaml", text)) == [
        "alp.yaml:2:56: ftp.tls.require_session_reuse: without `required: yes` data in clear text would be taken from"
        " anybody; set both, or neither"
    ]


def test_resumed_sessions_may_be_asked_for_where_tls_is(write):
    text = "ftp:\n  tls: {certificate: a, key: b, require_session_reuse: yes, required: yes}\n"
    loaded = settings.load(write("alp.yaml", text))
    assert loaded.ftp.tls is not None
    assert loaded.ftp.tls.require_session_reuse


def test_a_password_is_not_shown(write):
    with pytest.raises(ConfigurationFileError) as caught:
        settings.load(write("alp.yaml", "smtp:\n  password: hunter2\n"))
    assert str(caught.value) == (
        'alp.yaml:2:3: smtp.password: unknown key; did you mean "password_file"?\n      password: …\n      ^'
    )


@pytest.mark.parametrize(
    ("written", "size"), [("0.5GB", None), ("500", 500), ("2 KiB", 2048), ("3mb", 3_000_000), ("0", None)]
)
def test_sizes(write, written, size):
    path = write("alp.yaml", f"ftp: {{max_file_size: {written}}}\n")
    if size is None:
        assert len(refusals(path)) == 1
    else:
        assert settings.load(path).ftp.max_file_size == size


@pytest.mark.parametrize(("written", "value"), [("yes", True), ("True", True), ("NO", False), ("false", False)])
def test_switches(write, written, value):
    assert settings.load(write("alp.yaml", f"ftp: {{trust_hang_up: {written}}}\n")).ftp.trust_hang_up is value


@pytest.mark.parametrize("written", ["on", "1", "y", "''"])
def test_other_words_are_no_switches(write, written):
    path = write("alp.yaml", f"ftp: {{trust_hang_up: {written}}}\n")
    assert refusals(path) == ["alp.yaml:1:22: ftp.trust_hang_up: expected yes or no"]


def test_the_example_holds_the_defaults():
    example = settings.load(CONFIGS / "alp.yaml")
    defaults = Settings.model_validate({}, context={"base": CONFIGS.absolute()})
    assert example == defaults


def all_settings(model: type[BaseModel]) -> set[str]:
    names = set(model.model_fields)
    for field in model.model_fields.values():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                names |= all_settings(kind)
    return names


def test_the_example_shows_every_setting():
    shown = set(re.findall(r"^[ #]*(\w+):", (CONFIGS / "alp.yaml").read_text(), re.MULTILINE))
    assert all_settings(Settings) <= shown


def test_the_example_is_valid_with_every_comment_taken_off(write):
    # A line is a commented setting if its comment begins with a known key.
    keys = "|".join(sorted(all_settings(Settings)))
    text = re.sub(rf"^( *)# ( *(?:{keys}): ?)", r"\1\2", (CONFIGS / "alp.yaml").read_text(), flags=re.MULTILINE)
    loaded = settings.load(write("alp.yaml", text))
    assert loaded.ftp.tls is not None
    assert loaded.workers == 2
    # The words behind the "#" are the built-in ones.
    assert loaded.messages.model_dump() == asdict(DEFAULT_WORDS)
    assert yaml.safe_load(text)["ftp"]["passive_ports"] == "50000-50100"


def test_the_example_customers_have_no_problem():
    loaded = load_dir(CONFIGS / "customers")
    assert loaded.problems == ()
    assert {id_: list(customer.feeds) for id_, customer in loaded.customers.items()} == {
        "example-school": ["families"],
        "example-utility": ["outage-groups", "members"],
    }


def test_reading_settings_imports_nothing_heavy():
    code = (
        "import sys, pathlib; from alp_daemon import settings, customers; settings.load(None);"
        f"customers.load_file(pathlib.Path({str(CONFIGS / 'customers/example-school.yaml')!r}));"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "structlog", "rich", "sqlite_utils", "click", "pyftpdlib"}
    assert not heavy & set(result.stdout.split())


@pytest.mark.parametrize(
    ("spool", "folder", "bucket"),
    [
        ("", "/srv/alp/data/spool", None),
        ("spool: /mnt/shared/spool", "/mnt/shared/spool", None),
        ("spool: ../spool", "/srv/alp/../spool", None),
        ("spool: s3://uploads", None, ("uploads", "")),
        ("spool: s3://uploads/alp/production/", None, ("uploads", "alp/production")),
    ],
)
def test_the_spool_is_a_folder_or_a_bucket(write, spool, folder, bucket):
    text = f"data_dir: /srv/alp/data\n{spool}\n"
    loaded = settings.load(write("alp.yaml", text))
    here = str(Path.cwd())
    assert loaded.spool_bucket == bucket
    if folder is not None:
        assert str(loaded.spool_dir).replace(here, "/srv/alp") == folder


@pytest.mark.parametrize("spool", ["s3://", "s3:///alp", "s3://uploads/alp//production", "gs://uploads/alp"])
def test_a_spool_that_cannot_be_one_is_told(write, spool):
    (problem,) = refusals(write("alp.yaml", f"spool: {spool}\n"))
    assert "alp.yaml:1:8: spool: expected" in problem
    assert "s3://BUCKET/PREFIX" in problem


def test_a_bucket_needs_its_library(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore", None)
    (problem,) = refusals(write("alp.yaml", "spool: s3://uploads/alp\n"))
    assert "`pip install 'alp-daemon[s3]'`" in problem


def test_a_nodes_name_and_how_long_it_may_be_silent(write):
    loaded = settings.load(write("alp.yaml", "node: ftp-1.example\nlease: 5s\n"))
    assert (loaded.node_name, loaded.lease) == ("ftp-1.example", timedelta(seconds=5))
    assert refusals(write("alp.yaml", "node: a@b\nlease: 4s\n")) == [
        "alp.yaml:1:7: node: expected a name of letters, digits, and . - _ within it",
        "alp.yaml:2:8: lease: expected a duration of at least 5s",
    ]
