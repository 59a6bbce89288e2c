"""Approval by the customer: a page behind a link that is sent by mail, good for one decision.

The link is the key: who has it may look until it expires, and decide once. Only its hash is kept. The page is made
when the link is sent, so that what is approved is what is shown; a feed that was changed since needs a new link.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.errors import ConfigurationError, NotFound, Refused, UsageProblem
from alp_daemon.registry import Registry
from alp_daemon.services.decisions.approval import Approved, Sample, first_login, keep_in
from alp_daemon.services.decisions.sheet import Page, Sheet
from alp_daemon.services.logins.credentials import token_hash
from alp_daemon.services.processing.rules import Rules, is_approved, rules_for
from alp_daemon.services.reports import notify
from alp_daemon.settings import Settings
from alp_daemon.store.store import Row, Store, Transaction, moment, stamp

GOOD_FOR = timedelta(days=7)
LONGEST_NAME, LONGEST_NOTE = 100, 2000
_SHOWN = 20


class Decision(StrEnum):
    """``approval_links.decision``."""

    approved = "approved"
    sent_back = "sent_back"


@dataclass(frozen=True, slots=True)
class Opened:
    """A live link: what its page shows, and until when."""

    customer: Customer
    feed: str
    page: Page
    expires_at: datetime
    approved: bool
    """The feed is approved already as it is: its files are applied, whatever becomes of the link."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link as operators see it."""

    feed: str
    sent_at: str
    sent_by: str
    expires_at: str
    decision: str | None
    decided_at: str | None
    decided_by: str | None
    note: str


def send(store: Store, settings: Settings, customer: Customer, sheet: Sheet, by: str, now: datetime) -> datetime:
    """Mails the customer a link to the sheet; returns when it expires.

    Raises ``Refused`` where nobody is there to be mailed, ``ConfigurationError`` where nobody has said what our own
    address is.
    """
    if not customer.report_to:
        raise Refused(f"customer {customer.id} has nobody in report_to: who shall approve?")
    if settings.web.url is None:
        raise ConfigurationError(
            "web.url is not set in alp.yaml: the link needs the address that people reach this server at"
        )
    token, expires_at = secrets.token_urlsafe(32), now + GOOD_FOR
    with store.write() as transaction:
        transaction.run(
            "approval_links.add",
            token=token_hash(token),
            customer=customer.id,
            feed=sheet.rules.name,
            fingerprint=sheet.rules.fingerprint,
            now=stamp(now),
            by=by,
            expires_at=stamp(expires_at),
            sample_sha256=sheet.sample.sha256,
            sample_newline=int(sheet.sample.ends_with_newline),
            sheet=json.dumps(sheet.page, ensure_ascii=False),
        )
        subject = f"[{customer.name}] please approve how we read your file"
        address = f"{settings.web.url.rstrip('/')}/approval/{token}"
        body = _mail(address, sheet, expires_at, approved=is_approved(transaction, customer.id, sheet.rules))
        notify.tell(transaction, list(customer.report_to), subject, body, now, customer.id)
    log.info("approval_asked", customer=customer.id, feed=sheet.rules.name, by=by)
    return expires_at


def open_link(store: Store, registry: Registry, token: str, now: datetime) -> Opened:
    """What the link shows. Raises ``NotFound`` for one that nobody sent, ``Refused`` for one that is over."""
    with store.read() as transaction:
        row = _live(transaction, token, now)
        customer, rules = _as_shown(registry, row)
        approved = is_approved(transaction, customer.id, rules)
    return Opened(customer, row["feed"], json.loads(row["sheet"]), moment(row["expires_at"]), approved)


def approve(store: Store, registry: Registry, token: str, name: str, now: datetime) -> Approved:
    """Approves the feed in the name of who decides, once. Raises as ``open_link``, and ``UsageProblem`` without name.

    The customer's first log-in for FTP, if there is none, is in the answer.
    """
    by = f"{_name(name)} (by link)"
    with store.write() as transaction:
        row = _live(transaction, token, now)
        customer, rules = _as_shown(registry, row)
        _decide(transaction, token, Decision.approved, by, "", now)
        requeued = keep_in(transaction, rules, Sample(row["sample_sha256"], bool(row["sample_newline"])), by, now)
    log.info("approved", customer=customer.id, feed=rules.name, by="link", fingerprint=rules.fingerprint[:12])
    return Approved(rules.name, first_login(store, customer, by, now), requeued)


def send_back(
    store: Store, settings: Settings, registry: Registry, token: str, name: str, note: str, now: datetime
) -> None:
    """Ends the link without an approval, and tells the operators what is wrong. Raises as ``approve``."""
    by, said = _name(name), note.strip()[:LONGEST_NOTE]
    if not said:
        raise UsageProblem("say what is wrong, so that it can be corrected")
    with store.write() as transaction:
        row = _live(transaction, token, now)
        customer, rules = _as_shown(registry, row)
        _decide(transaction, token, Decision.sent_back, by, said, now)
        subject = f"[{customer.id}] feed {rules.name} was sent back"
        body = f"{by} does not approve feed {rules.name} of {customer.id}.\n\nThe console has what they wrote.\n"
        notify.tell(transaction, list(settings.smtp.operators), subject, body, now, customer.id)
    log.info("sent_back", customer=customer.id, feed=rules.name)


def of_customer(store: Store, customer: str) -> list[Link]:
    """The customer's newest links, newest first."""
    with store.read() as transaction:
        rows = transaction.all("approval_links.of_customer", customer=customer, limit=_SHOWN)
    return [Link(**row) for row in rows]


def forget_old(store: Store, now: datetime) -> None:
    """Erases the sheets of links that are over: they hold numbers."""
    with store.write() as transaction:
        transaction.run("approval_links.forget", now=stamp(now))


def _live(transaction: Transaction, token: str, now: datetime) -> Row:
    row = transaction.one("approval_links.get", token=token_hash(token))
    if row is None:
        raise NotFound("there is no such link; look whether the mail's link was copied whole")
    if row["decision"] is not None:
        done = "approved" if row["decision"] == Decision.approved else "sent back"
        raise Refused(f"this link was used: the feed was {done} on {row['decided_at'][:10]}")
    if row["expires_at"] <= stamp(now) or row["sheet"] is None:
        raise Refused(f"this link was good until {row['expires_at'][:10]}; ask your provider for a new one")
    return row


def _as_shown(registry: Registry, row: Row) -> tuple[Customer, Rules]:
    """The customer and the rules that the link is about, as long as they are what it shows."""
    customer = registry.customer(row["customer"])
    if customer is None or row["feed"] not in customer.feeds:
        raise Refused("what this link is about is not configured any more; ask your provider for a new one")
    rules = rules_for(customer, row["feed"])
    if rules.fingerprint != row["fingerprint"]:
        raise Refused("the configuration was changed after this link was sent; ask your provider for a new one")
    return customer, rules


def _decide(transaction: Transaction, token: str, decision: Decision, by: str, note: str, now: datetime) -> None:
    decided = transaction.run(
        "approval_links.decide", token=token_hash(token), decision=str(decision), by=by, note=note, now=stamp(now)
    )
    if not decided:  # live a moment ago: somebody else who has the link was quicker
        raise Refused("this link was used just now; load the page again to see how")


def _name(name: str) -> str:
    typed = " ".join(name.split())[:LONGEST_NAME]
    if not typed or not typed.isprintable():
        raise UsageProblem("say your name: it stands in the record of the approval")
    return typed


def _mail(link: str, sheet: Sheet, expires_at: datetime, *, approved: bool) -> str:
    feed = f"feed {sheet.rules.name}"
    meanwhile = (
        f"It is approved as it is already: files of {feed} are applied meanwhile."
        if approved
        else f"Until then no file of {feed} changes anything."
    )
    return (
        f"This is how we would read {sheet.page['report']['name']}, and what it would do to your list:\n\n"
        f"{link}\n\n"
        "Please look whether the right columns were taken for numbers and tags, then approve it there or send it\n"
        f"back. {meanwhile}\n\n"
        f"The link is good for one decision, until {expires_at:%Y-%m-%d %H:%M} UTC. Whoever has it can decide: pass\n"
        "it on only to the person who should.\n"
    )
