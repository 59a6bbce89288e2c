"""The doctor says what is not as it should be, the worst first."""

from __future__ import annotations

import json
import os

import pytest

from alp_daemon import ports
from alp_daemon.customers import load_dir
from alp_daemon.domain.model import Evidence
from alp_daemon.registry import CustomerStatus, Registry
from alp_daemon.sections import FtpSettings, SmtpSettings, TlsSettings
from alp_daemon.services.logins.credentials import PROVIDER, Credentials, Kind
from alp_daemon.services.operations import doctor
from alp_daemon.services.safekeeping import retention
from alp_daemon.settings import Settings
from tests.databases import sqlite_only
from tests.services.provider import Provider, feed, numbers


def messages(acme: Provider, settings: Settings | None = None) -> list[tuple[str, str]]:
    loaded = load_dir(acme.settings.customers_dir)
    findings = doctor.examine(acme.store, settings or acme.settings, loaded, acme.now)
    return [(finding.severity, finding.message) for finding in findings]


def said(acme: Provider, text: str, settings: Settings | None = None) -> list[str]:
    return [severity for severity, message in messages(acme, settings) if text in message]


def test_a_daemon_that_runs_and_one_that_was_killed(acme: Provider) -> None:
    assert said(acme, "no daemon runs on") == ["warning"]
    acme.settings.data_dir.mkdir(exist_ok=True)
    ports.add(acme.settings.data_dir, {"ftp": 2121}, is_main=True)
    assert said(acme, f"the daemon runs as process {os.getpid()}, FTP on port 2121") == ["info"]
    # Its number may be another process's by now, or the file no more than a start.
    for left in ({"pid": os.getpid(), "started": "1", "ftp": 2121}, {}):
        (acme.settings.data_dir / "ports.json").write_text(json.dumps(left))
        assert said(acme, "no daemon runs on") == ["warning"]


def test_settings_that_the_daemon_does_not_go_by(acme: Provider) -> None:
    acme.settings.data_dir.mkdir(exist_ok=True)
    digests = acme.settings.digests
    ports.add(acme.settings.data_dir, {"ftp": 2121}, is_main=True, settings=digests, read_at="2026-11-21 05:00 (UTC)")
    assert said(acme, "alp.yaml has changed") == []
    edited = {"smtp": SmtpSettings(host="mail.example.org"), "workers": 3}
    settings = acme.settings.model_copy(update=edited)
    told = f"alp.yaml has changed in smtp, workers since the daemon (process {os.getpid()}) read it at 2026-11-21 05:00"
    assert said(acme, told, settings) == ["warning"]
    assert said(acme, "restart it (`systemctl restart alp-daemon`)", settings) == ["warning"]
    ports.remove(acme.settings.data_dir, {"ftp": 2121})
    assert said(acme, "alp.yaml has changed", settings) == [], "the next start reads it"


def test_a_daemon_of_an_older_release_has_not_said_what_it_read(acme: Provider) -> None:
    acme.settings.data_dir.mkdir(exist_ok=True)
    ports.add(acme.settings.data_dir, {"ftp": 2121}, is_main=True)
    assert said(acme, "alp.yaml has changed") == []


def test_ftp_in_clear_text(acme: Provider) -> None:
    assert said(acme, "FTP is in clear text, passwords too") == ["info"]
    tls = TlsSettings(certificate=acme.folder / "ftp.crt", key=acme.folder / "ftp.key")
    with_tls = acme.settings.model_copy(update={"ftp": FtpSettings(tls=tls)})
    assert said(acme, "FTP is in clear text", with_tls) == []


class TestCodes:
    """Of a customer without codes nobody knows whom a text is for."""

    TOLD = "there is no `codes:` in the files of acme: nobody can opt in there by text"

    @pytest.fixture
    def gateway(self, acme: Provider) -> str:
        return Credentials(acme.store).issue(PROVIDER, Kind.gateway, "Ann", acme.now).user

    @pytest.mark.usefixtures("gateway")
    def test_without_them(self, acme: Provider) -> None:
        assert said(acme, self.TOLD) == ["warning"]

    @pytest.mark.usefixtures("gateway")
    def test_with_them(self, acme: Provider) -> None:
        acme.configure({}, codes=["55512"])
        assert said(acme, "codes:") == []

    @pytest.mark.usefixtures("gateway")
    def test_who_has_no_list_of_numbers_needs_none(self, acme: Provider) -> None:
        acme.configure({}, brand={"id": "9999"})
        assert said(acme, "codes:") == []

    @pytest.mark.usefixtures("gateway")
    def test_of_many_some_are_named(self, acme: Provider) -> None:
        for index in range(12):
            text = json.dumps({"name": "X", "keyword": f"X{index}", "feeds": {}})
            (acme.settings.customers_dir / f"x{index:02}.yaml").write_text(text)
        assert said(acme, "files of acme, x00, x01, x02, x03, x04, x05, x06, x07, x08 and 3 more: ") == ["warning"]

    def test_without_a_gateway(self, acme: Provider, gateway: str) -> None:
        Credentials(acme.store).revoke(PROVIDER, gateway, "Ann", acme.now)
        assert said(acme, "codes:") == []


def test_a_broken_configuration_comes_first(acme: Provider) -> None:
    (acme.settings.customers_dir / "school.yaml").write_text("name: School\n")
    severity, message = messages(acme)[0]
    assert severity == "error"
    assert "school.yaml:1:1" in message


def test_what_a_broken_configuration_means_before_and_after_a_start(acme: Provider) -> None:
    """As the doctor says, which cannot know what a daemon has read."""
    registry = Registry(acme.settings.customers_dir)
    registry.reload(acme.now)
    (acme.settings.customers_dir / "acme.yaml").write_text("name: Acme\n")
    registry.reload(acme.tick())
    assert registry.status("acme", acme.now) is CustomerStatus.active
    started_anew = Registry(acme.settings.customers_dir)
    started_anew.reload(acme.now)
    assert started_anew.status("acme", acme.now) is CustomerStatus.broken
    sentence = (
        "(a daemon that has read a sound version since its start goes on by that until it ends;"
        " without one, log-ins are refused and files wait)"
    )
    assert said(acme, sentence) == ["error"]


def test_a_warning_of_the_configuration_is_called_so_once(acme: Provider) -> None:
    path = acme.settings.customers_dir / "School.YAML"
    path.write_text("name: School\n")
    (message,) = [message for severity, message in messages(acme) if str(path) in message]
    assert message.startswith(f"{path}:1:1: this file is not read")


def test_feeds_that_need_an_approval(acme: Provider) -> None:
    assert said(acme, "is not approved yet") == []
    acme.configure({"members": feed("append", "members")})
    assert said(acme, "acme: feed members is not approved yet") == ["warning"]


def test_held_files(acme: Provider) -> None:
    acme.process("append.csv", numbers(1), evidence=Evidence.cut)
    assert said(acme, "upload 1 of acme is held: the upload may be cut short") == ["warning"]
    assert said(acme, "; see `alp-daemon show 1`, then release or discard it") == ["warning"]


def test_files_that_failed(acme: Provider) -> None:
    upload = acme.send("append.csv", numbers(1))
    (acme.settings.spool_dir / acme.upload(upload).object).rename(acme.folder / "aside")
    acme.work()
    assert said(acme, "upload 1 of acme failed: its file is not in the spool any more") == ["error"]
    assert said(acme, "; see `alp-daemon show 1`, and the log") == ["error"]
    acme.tick(days=31)
    retention.erase_old_files(acme.store, acme.settings, acme.now)
    assert said(acme, "of acme failed") == []


def test_a_drop_folder_that_is_none(acme: Provider) -> None:
    home = acme.settings.drop_dir / "acme"
    home.parent.mkdir(parents=True)
    assert said(acme, str(home)) == []
    acme.intake.prepare("acme")
    assert said(acme, str(home)) == []
    for folder in (home / "preformatted", home):
        folder.rename(folder.with_name("aside"))
        folder.symlink_to("nowhere")
        assert said(acme, f"acme: {folder} is not a folder; its FTP log-ins are refused") == ["error"]
        folder.unlink()
        folder.with_name("aside").rename(folder)
    assert said(acme, str(home)) == []


def test_files_without_a_record(acme: Provider) -> None:
    assert said(acme, "without a record") == []
    acme.process("append.csv", numbers(1))
    (acme.settings.spool_dir / "acme" / ("0" * 32)).write_bytes(b"of a newer database")
    acme.intake.upkeep.recover()
    assert said(acme, f"1 file(s) without a record lie in {acme.settings.spool_dir}/.strays") == ["warning"]
    assert said(acme, "`alp-daemon process CUSTOMER FILE --feed FEED` (`uploads.csv` in data_dir/repl") == ["warning"]


def test_a_disk_with_less_room_than_is_to_stay_free(acme: Provider) -> None:
    assert said(acme, "no file can be received") == []
    floored = acme.settings.model_copy(update={"free_space_floor": 1 << 60})
    assert said(acme, "has less room than free_space_floor; no file can be received", floored) == ["error"]
    assert said(acme, "MiB are free; uploads are refused (452)", floored) == ["error"]


def test_mail_that_does_not_leave(acme: Provider) -> None:
    acme.process("append.csv", numbers(1))
    assert said(acme, "1 mail(s) wait, and smtp.host is not set") == ["warning"]
    server = acme.settings.model_copy(update={"smtp": SmtpSettings(host="127.0.0.1")})
    assert said(acme, "mail(s) wait", server) == []
    acme.tick(hours=2)
    assert said(acme, "1 mail(s) wait, the oldest since 2026-11-21", server) == ["warning"]


def test_a_history_that_somebody_edited(acme: Provider) -> None:
    acme.process("append.csv", numbers(1))
    assert said(acme, "the history was changed") == []
    with acme.store.write() as transaction:
        transaction._connection.execute("UPDATE changes SET actor = 'nobody'")
    assert said(acme, "acme: the history was changed by something other") == ["error"]


@sqlite_only
def test_rows_that_somebody_edited_past_their_triggers(acme: Provider) -> None:
    acme.process("append.csv", numbers(2_000))
    with acme.store.write() as transaction:
        transaction._connection.execute("UPDATE addresses SET status = 3 WHERE key % 7 = 0")
    assert said(acme, "past their triggers") == []
    with acme.store.write() as transaction, transaction.without_triggers("addresses"):
        transaction._connection.execute("UPDATE addresses SET status = 2")
    assert said(acme, "DELETE FROM snapshot_segments WHERE list = 1") == ["error"]
    with acme.store.write() as transaction:
        transaction._connection.execute("DELETE FROM snapshot_segments WHERE list = 1")
    assert said(acme, "past their triggers") == []


def test_a_customer_whose_file_is_gone(acme: Provider) -> None:
    acme.process("append.csv", numbers(1))
    path = acme.settings.customers_dir / "acme.yaml"
    assert said(acme, f"there is no {path}") == []
    path.unlink()
    assert said(acme, f"there is no {path}: its log-ins are refused") == ["error"], "as of one that is broken"
    Credentials(acme.store).revoke("acme", "acme", "Ann", acme.now)
    assert said(acme, f"there is no {path}: its files wait for it, and its list stays as it is") == ["warning"]


def test_a_customer_who_has_nothing_yet_but_a_log_in(acme: Provider) -> None:
    (acme.settings.customers_dir / "acme.yaml").unlink()
    assert said(acme, "acme.yaml: its log-ins are refused") == ["error"]


def test_a_spool_that_takes_nothing(acme: Provider) -> None:
    acme.settings = acme.settings.model_copy(update={"spool": str(acme.folder / "not mounted")})
    assert said(acme, f"the spool {acme.folder}/not mounted is not there; no file can be received") == ["error"]
    (acme.folder / "not mounted").mkdir()
    assert said(acme, "the spool") == []
