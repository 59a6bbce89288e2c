"""Mail through an outbox: written in the transaction that has something to say, sent afterwards, tried again for days.

SMTP is spoken with the standard library. Numbers in mail are masked; the full ones are in the customer's folder.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.masking import masked
from alp_daemon.sections import SmtpSettings
from alp_daemon.services.reports import report, reporttext
from alp_daemon.services.reports.report import Report
from alp_daemon.settings import Settings
from alp_daemon.store.store import Row, Store, Transaction, moment, stamp

SMTP_TIMEOUT_SECONDS = 30
# After this nothing more is begun over the same connection.
ROUND_SECONDS = 60
# A mail is its sender's for so long, while other nodes leave it alone. Should that one die, it is due again then.
CLAIM = timedelta(minutes=5)
# After a failed try: one minute, then twice as long each time, up to six hours.
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=6)
# RFC 5321, 4.5.4.1: "the give-up time generally needs to be at least 4-5 days".
GIVE_UP_AFTER = timedelta(days=5)

# What is wrong with one mail only. The last two: an address or a text that this server cannot carry.
_REFUSALS = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPSenderRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPNotSupportedError,
    ValueError,
)


def tell_of_upload(
    transaction: Transaction,
    settings: Settings,
    customer: Customer | None,
    finished: Report,
    now: datetime,
    askers: Sequence[str] = (),
) -> None:
    """The report by mail to the customer; of held and failed uploads also to the operators, with their commands.

    ``askers`` are those whom the upload itself names. They may have no folder to look into, so their mail has the
    first rejects, masked.
    """
    safe = report.masked(finished)
    subject = f"[{finished['customer']}] {safe['name']}: {finished['state']}"
    about = (now, finished["customer"], finished["upload"])
    operators = settings.smtp.operators if finished["state"] in ("held", "failed") else ()
    customers = customer.report_to if customer else ()
    body = reporttext.for_customer(safe)
    cells = reporttext.refused_cells(safe["rejects"], safe["rejects_total"])
    with_rejects = body + "".join(f"{line}\n" for line in ("", *cells) if cells)
    _add(transaction, customers_only(customers, operators), subject, body, *about)
    _add(transaction, list(operators), subject, reporttext.text(safe), *about)
    _add(transaction, list(askers), subject, with_rejects, *about)


def customers_only(customers: Sequence[str], operators: Sequence[str]) -> list[str]:
    """Whoever is both gets the mail with the commands."""
    return [each for each in customers if each not in operators]


def tell(
    transaction: Transaction,
    recipients: list[str],
    subject: str,
    body: str,
    now: datetime,
    customer: str = "",
    upload: int | None = None,
) -> None:
    """Puts one mail into the outbox; nothing where there is nobody to tell. Full numbers and addresses are masked."""
    _add(transaction, recipients, subject, masked(body), now, customer, upload)


def _add(
    transaction: Transaction,
    recipients: list[str],
    subject: str,
    body: str,
    now: datetime,
    customer: str,
    upload: int | None,
) -> None:
    """The same for a body that was made of what is masked already: the examples in our own sentences stay."""
    if not recipients:
        return
    transaction.run(
        "outbox.add",
        customer=customer,
        upload=upload,
        recipients=json.dumps(list(dict.fromkeys(recipients))),
        # A name of a file may hold anything, also a number; a header line may not.
        subject="".join(c if c.isprintable() else "?" for c in masked(subject)),
        body=body,
        now=stamp(now),
    )


def send_due(store: Store, settings: SmtpSettings, now: datetime) -> int:
    """Sends what is due over one connection; returns how many went out. What fails is tried again later.

    Other processes and nodes may be at it too: each mail is sent by one.
    """
    if settings.host is None:
        return 0
    begun, sent = time.monotonic(), 0
    mail = _claim(store, now)
    if mail is None:
        return 0
    try:
        with _connection(settings) as connection:
            while mail is not None:
                sent += _deliver(store, connection, settings, mail, now)
                took = time.monotonic() - begun
                mail = _claim(store, now + timedelta(seconds=took)) if took < ROUND_SECONDS else None
    except (OSError, smtplib.SMTPException) as error:
        # The server is away, or went away half-way.
        if mail is not None:
            log.warning("mail_not_sent", mail=mail["id"], error=type(error).__name__)
            _retry_later(store, mail, f"{type(error).__name__}: {error}", now)
    return sent


def _claim(store: Store, now: datetime) -> Row | None:
    """The next mail that is due, which nobody else sends meanwhile."""
    with store.read() as transaction:
        if transaction.one("outbox.due", now=stamp(now), limit=1) is None:
            return None  # the usual round: no write lock is taken
    with store.write() as transaction:
        return transaction.one("outbox.claim", now=stamp(now), until=stamp(now + CLAIM))


def _deliver(store: Store, connection: smtplib.SMTP, settings: SmtpSettings, mail: Row, now: datetime) -> bool:
    """Whether the mail went out; one that cannot be sent is put off and does not stop those behind it."""
    try:
        refused = connection.send_message(_message(settings, mail, now))
    except _REFUSALS as error:
        log.warning("mail_refused", mail=mail["id"], error=type(error).__name__)
        _retry_later(store, mail, f"{type(error).__name__}: {error}", now)
        return False
    if refused:
        log.warning("mail_refused_for_some", mail=mail["id"], recipients=len(refused))
    _mark_sent(store, mail, now)
    return True


def _message(settings: SmtpSettings, mail: Row, now: datetime) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.sender
    message["To"] = ", ".join(json.loads(mail["recipients"]))
    message["Subject"] = mail["subject"]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = _message_id(settings, mail)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies, please
    message.set_content(mail["body"])
    return message


def _message_id(settings: SmtpSettings, mail: Row) -> str:
    """The same at every try: a mail that goes out twice, since we died before we could note the first time, is
    recognised by its recipient's server."""
    made = "".join(filter(str.isdigit, mail["created_at"]))
    return f"<alp-{mail['id']}-{made}@{settings.sender.rpartition('@')[2]}>"


def _connection(settings: SmtpSettings) -> smtplib.SMTP:
    assert settings.host is not None
    context = ssl.create_default_context()
    connection: smtplib.SMTP
    if settings.security == "tls":
        connection = smtplib.SMTP_SSL(settings.host, settings.port, timeout=SMTP_TIMEOUT_SECONDS, context=context)
    else:
        connection = smtplib.SMTP(settings.host, settings.port, timeout=SMTP_TIMEOUT_SECONDS)
    if settings.security == "starttls":
        connection.starttls(context=context)
    if settings.user and settings.password_file:
        connection.login(settings.user, settings.password_file.read_text(encoding="utf-8").strip())
    return connection


def _mark_sent(store: Store, mail: Row, now: datetime) -> None:
    with store.write() as transaction:
        transaction.run("outbox.sent", id=mail["id"], now=stamp(now))
    log.info("mail_sent", mail=mail["id"], upload=mail["upload"], customer=mail["customer"])


def _retry_later(store: Store, mail: Row, error: str, now: datetime) -> None:
    wait = min(FIRST_RETRY * 2 ** min(mail["attempts"], 10), LONGEST_RETRY)
    gives_up = moment(mail["created_at"]) + GIVE_UP_AFTER <= now
    with store.write() as transaction:
        transaction.run(
            "outbox.failed",
            id=mail["id"],
            next_at=stamp(now + wait),
            error=error[:500],
            given_up_at=stamp(now) if gives_up else None,
        )
    if gives_up:
        log.warning("mail_given_up", mail=mail["id"], upload=mail["upload"], customer=mail["customer"])
