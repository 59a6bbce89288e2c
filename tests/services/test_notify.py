"""Mail: whole and masked, over a real server; put off while that is away, and never lost."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
from aiosmtpd.smtp import SMTP, Envelope, Session

from alp_daemon.customers import load_dir
from alp_daemon.domain.model import Evidence
from alp_daemon.sections import SmtpSettings
from alp_daemon.services.operations import doctor
from alp_daemon.services.reports import notify
from alp_daemon.store.store import moment
from tests.services.provider import Provider, feed, number, numbers
from tests.smtp import AnyPort
from tests.smtp import Inbox as AnyInbox


class Inbox(AnyInbox):
    """Knows nobody called ``nobody``."""

    async def handle_RCPT(  # noqa: N802  aiosmtpd finds it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def served(inbox: Inbox, **how: object) -> Iterator[int]:
    """The port at which the inbox can be reached."""
    controller = AnyPort(inbox, hostname="127.0.0.1", port=0, enable_SMTPUTF8=False, **how)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def smtp(inbox: Inbox) -> Iterator[SmtpSettings]:
    with served(inbox) as port:
        yield SmtpSettings(host="127.0.0.1", port=port, sender="alp@provider.example")


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def send(acme: Provider, smtp: SmtpSettings) -> int:
    return notify.send_due(acme.store, smtp, acme.tick())


def tell(acme: Provider, *recipients: str, subject: str = "hello") -> None:
    with acme.store.write() as transaction:
        notify.tell(transaction, list(recipients), subject, "body\n", acme.tick())


def test_a_report_arrives_once(acme: Provider, smtp: SmtpSettings, inbox: Inbox) -> None:
    acme.process("append.csv", numbers(3))
    assert [send(acme, smtp), send(acme, smtp)] == [1, 0]
    (mail,) = inbox.mails
    assert mail["Subject"] == "[acme] append.csv: applied"
    assert (mail["From"], mail["To"]) == ("alp@provider.example", "reports@acme.example")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].startswith("Sat, 21 Nov 2026 06:")
    assert "Upload 1 (append.csv) was applied." in mail.get_content()
    assert "3  opted in" in mail.get_content()


def test_operators_hear_of_what_is_held(acme: Provider) -> None:
    acme.process("append.csv", numbers(1))
    acme.configure({})
    acme.process("x.csv", "".join(f"{phone},tag {i}\n" for i, phone in enumerate(numbers(201))), folder="preformatted")
    applied, to_customer, held = acme.mails()
    assert applied["recipients"] == to_customer["recipients"] == '["reports@acme.example"]'
    assert held["recipients"] == '["ops@provider.example"]'
    assert "alp-daemon release 2 --by NAME" in held["body"]


def test_a_customer_is_told_whom_to_call_and_no_command(acme: Provider) -> None:
    acme.process("append.csv", numbers(1), evidence=Evidence.cut)
    acme.configure({"append": feed("append", phones=["Phone", "Tags"])})
    acme.process("append.csv", numbers(1))
    told = [mail["body"] for mail in acme.mails() if "reports@acme.example" in mail["recipients"]]
    cut, unapproved = (body.partition("It waits for a person because:")[2] for body in told)
    assert "call them, and say that it is upload 1." in cut
    assert "ask your provider for the preview" in unapproved
    assert "alp-daemon" not in "".join(told)


def test_who_is_both_gets_the_one_with_the_commands(acme: Provider) -> None:
    acme.configure({"append": feed("append")}, report_to=["ops@provider.example", "ann@acme.example"])
    acme.process("append.csv", numbers(1), evidence=Evidence.cut)
    to_customer, to_operators = acme.mails()
    assert (to_customer["recipients"], to_operators["recipients"]) == (
        '["ann@acme.example"]',
        '["ops@provider.example"]',
    )


def test_values_are_masked_and_our_own_examples_are_not(acme: Provider) -> None:
    acme.process("append 212 555 0177.csv", "Phone,Tags\n212 555 0177 or 212 555 0178,a\n2125550179,b\n")
    acme.process("append.csv", "Phone,Tags\n212 555 0177 or 212 555 0178,a\n2125550179,b\n")
    first, second = (mail["subject"] + mail["body"] for mail in acme.mails())
    assert "give exactly one, such as (212) 555-0123." in second
    assert "0177" in first
    for digits in ("555 0177", "5550177", "5550179"):
        assert digits not in first + second


def test_the_mail_is_written_with_the_change_or_not_at_all(acme: Provider) -> None:
    with pytest.raises(RuntimeError), acme.store.write() as transaction:
        notify.tell(transaction, ["a@b.example"], "subject", "body", acme.now)
        raise RuntimeError
    assert acme.mails() == []


@pytest.mark.parametrize(
    "content",
    [
        f"Phone,Tags\n{number(1)},a\n-{number(2)}x,b\n212 555 00033,c\n(900) 555-0004,d\n",
        f"{number(1)},a\n{number(2)},b\n",  # without its header the first row is quoted
        "212-555-0001;x\n(212) 555 0002;y\n",
        "row,column,value,reason\n2,Phone,212 555 0001,invalid\n",
    ],
)
def test_no_mail_holds_a_full_number(acme: Provider, content: str) -> None:
    acme.process("append.csv", content)
    (mail,) = acme.mails()
    for index in (1, 2, 3, 4):
        digits = number(index)[-10:]
        forms = (digits, f"{digits[:3]}-{digits[3:6]}-{digits[6:]}", f"({digits[:3]}) {digits[3:6]} {digits[6:]}")
        assert not any(form in mail["body"] + mail["subject"] for form in forms)


def test_a_name_cannot_write_header_lines(acme: Provider, smtp: SmtpSettings, inbox: Inbox) -> None:
    acme.configure({"any": {"match": "*", "mode": "append", "phones": ["Phone"]}})
    acme.process("x\r\nBcc: victim@example.org\r\n\r\n.csv", numbers(1))
    assert send(acme, smtp) == 2
    for mail in inbox.mails:
        assert mail["Bcc"] is None
        assert mail["Subject"] == "[acme] x??Bcc: •••????.csv: held"


def test_starttls_with_a_certificate_that_is_checked(
    acme: Provider, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    tell(acme, "a@b.example")
    with served(inbox, tls_context=context, require_starttls=True) as port:
        settings = SmtpSettings(host="localhost", port=port, security="starttls")
        assert send(acme, settings) == 0, "nobody vouches for this certificate"
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        acme.tick(hours=1)
        assert send(acme, settings) == 1
    assert len(inbox.mails) == 1


def test_a_server_that_is_away_is_asked_again_less_and_less(acme: Provider, closed_port: int) -> None:
    away = SmtpSettings(host="127.0.0.1", port=closed_port)
    tell(acme, "a@b.example")
    waits = []
    for _ in range(12):
        (mail,) = acme.mails()
        acme.now = max(acme.now, moment(mail["next_at"])) if waits else acme.now
        assert send(acme, away) == 0
        (mail,) = acme.mails()
        waits.append(moment(mail["next_at"]) - acme.now)
        assert "ConnectionRefused" in mail["last_error"]
        assert send(acme, away) == 0
        assert acme.mails()[0]["attempts"] == mail["attempts"], "it is not due yet"
    minutes = [wait / timedelta(minutes=1) for wait in waits]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]


def test_a_mail_late_in_a_round_is_its_senders_as_long_as_the_first(
    acme: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed_until: list[datetime] = []

    class Slow(Inbox):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            claimed_until.append(max(moment(mail["next_at"]) for mail in acme.mails()))
            return "250 OK"

    # Two looks at the clock before the second mail: fifty seconds.
    monkeypatch.setattr(notify, "time", SimpleNamespace(monotonic=count(step=50).__next__))
    tell(acme, "a@b.example")
    tell(acme, "a@b.example")
    with served(Slow()) as port:
        assert send(acme, SmtpSettings(host="127.0.0.1", port=port)) == 2
    first, second = claimed_until
    assert (first, second - first) == (acme.now + notify.CLAIM, timedelta(seconds=50))


def test_what_could_not_be_sent_is_sent_later(
    acme: Provider, smtp: SmtpSettings, inbox: Inbox, closed_port: int
) -> None:
    tell(acme, "a@b.example")
    assert send(acme, SmtpSettings(host="127.0.0.1", port=closed_port)) == 0
    assert send(acme, smtp) == 0
    acme.tick(minutes=1)
    assert send(acme, smtp) == 1


def test_a_refused_recipient_does_not_stop_the_others(acme: Provider, smtp: SmtpSettings, inbox: Inbox) -> None:
    tell(acme, "nobody@b.example", subject="for nobody")
    tell(acme, "ömer@b.example", subject="for an address that this server cannot take")
    tell(acme, "nobody@b.example", "a@b.example", subject="for one of two")
    tell(acme, "a@b.example", subject="for one")
    assert send(acme, smtp) == 2
    assert [mail["Subject"] for mail in inbox.mails] == ["for one of two", "for one"]
    waiting = acme.mails()
    assert [mail["attempts"] for mail in waiting] == [1, 1]
    assert "SMTPRecipientsRefused" in waiting[0]["last_error"]


def test_what_is_refused_for_days_is_given_up_and_the_doctor_says_so(
    acme: Provider, smtp: SmtpSettings, inbox: Inbox
) -> None:
    tell(acme, "nobody@b.example")
    acme.tick(days=4, hours=23)
    send(acme, smtp)
    assert len(acme.mails()) == 1
    acme.tick(hours=6)
    send(acme, smtp)
    assert acme.mails() == []
    findings = doctor.examine(acme.store, acme.settings, load_dir(acme.settings.customers_dir), acme.now)
    (said,) = [finding.message for finding in findings if "given up" in finding.message]
    assert said.startswith("a mail to nobody@b.example was given up: SMTPRecipientsRefused")


def test_without_a_server_mail_waits(acme: Provider) -> None:
    tell(acme, "a@b.example")
    assert notify.send_due(acme.store, SmtpSettings(), acme.now) == 0
    assert [mail["attempts"] for mail in acme.mails()] == [0]
