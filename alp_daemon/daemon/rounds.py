"""What the daemon does by itself, and how often."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial

from alp_daemon import log
from alp_daemon.daemon.duties import Duty
from alp_daemon.daemon.parts import STALLED_SECONDS, Parts
from alp_daemon.services.addresses import codes, idempotency
from alp_daemon.services.alarms import expectations
from alp_daemon.services.configuration import customerfolder
from alp_daemon.services.decisions import approval_link, holds
from alp_daemon.services.logins import access
from alp_daemon.services.logins.sessions import Sessions
from alp_daemon.services.operations.nodes import Presence
from alp_daemon.services.processing import queue
from alp_daemon.services.processing.rules import unapproved
from alp_daemon.services.reports import notify
from alp_daemon.services.reports.unworked import report_unworked
from alp_daemon.services.safekeeping import retention

MAIL_SECONDS = 5.0
# Listing shared storage costs a request for a thousand objects; what it finds does no harm meanwhile.
CLEAN_SECONDS = 24 * 3600.0
# By then what was put into the drop folders while nothing ran is in the queue, and has come.
SETTLING_SECONDS = 20.0


def rounds(parts: Parts) -> list[Duty]:
    """The duties of the main loop."""
    store, settings, registry = parts.store, parts.settings, parts.registry
    duties = [Duty(settings.scan_every.total_seconds(), partial(look_at_customers, parts))]
    if parts.ftp or parts.web:
        duties += [Duty(10, lambda _: parts.access.count())]
    if drop := parts.drop:
        duties += [Duty(5, lambda _: drop.progress.tell_of_standstill(STALLED_SECONDS))]
    if parts.web:
        duties += [
            Duty(3600, Sessions(store, settings.web).forget_old),
            Duty(3600, partial(idempotency.forget_old, store)),
            Duty(3600, partial(approval_link.forget_old, store)),
        ]
    if parts.dispatcher:
        duties += [
            Duty(2, lambda now: report_unworked(store, settings, registry.all(), now)),
            Duty(10, lambda _: _free_leases(parts)),
            Duty(60, lambda now: holds.remind(store, settings, registry.all(), now)),
            Duty(60, partial(_let_go_on, parts)),
            Duty(
                60,
                lambda now: expectations.watch(store, settings, registry.all(), now),
                due_at=time.monotonic() + SETTLING_SECONDS,
            ),
            Duty(60, partial(access.forget_old, store, settings.lockout.window)),
        ]
    return duties


def rounds_aside(parts: Parts) -> dict[str, Duty]:
    """By the names of their threads: a mail server may keep us waiting for minutes, and nothing may delay a beat.

    So may a spool that lies behind a network.
    """
    duties = {}
    if parts.ftp or parts.web:
        duties["intake"] = Duty(1, parts.intake.upkeep.tick)
    if parts.ftp:
        duties["reports"] = Duty(10, parts.intake.reports.publish_recent)
        duties["strays"] = Duty(CLEAN_SECONDS, lambda _: _look_after_strays(parts))
    if parts.dispatcher:
        duties["retention"] = Duty(3600, partial(retention.erase_old_files, parts.store, parts.settings))
        duties["mail"] = Duty(MAIL_SECONDS, partial(notify.send_due, parts.store, parts.settings.smtp))
    if parts.presence:
        duties["presence"] = Duty(parts.presence.seconds, partial(_beat, parts, parts.presence))
    return duties


def look_at_customers(parts: Parts, now: datetime) -> None:
    """Reads the customers' files anew, and does what follows from what has changed."""
    store, registry = parts.store, parts.registry
    if parts.settings.customers_from == "database":
        # A node that is cut off from the database goes on with what it has.
        customerfolder.bring(store, parts.settings)
    result = registry.reload(now)
    for problem in result.problems:
        log.warning("configuration_problem", problem=str(problem))
    for customer in (*result.added, *result.changed):
        log.info("customer_loaded", customer=customer)
    for customer in result.missing:
        log.warning("customer_missing", customer=customer)
    if parts.drop and (result.added or result.returned):
        parts.drop.ring()  # it makes their folders
    parts.to_follow_up.update(dict.fromkeys((*result.added, *result.changed, *result.returned)))
    _follow_up(parts, now)
    customers = registry.all()
    for sentence in unapproved(store, [customers[id_] for id_ in (*result.added, *result.changed)]):
        log.warning("feed_not_approved", problem=sentence)


def _follow_up(parts: Parts, now: datetime) -> None:
    """Notes who has which codes, and lets go on what was held for want of a customer's file or of an approval.

    The registry tells of a change once. Where the database fails, the rest is for the next look.
    """
    if not parts.to_follow_up:
        return
    customers = parts.registry.all()
    codes.remember(parts.store, [customers[id_] for id_ in parts.to_follow_up])
    for id_ in tuple(parts.to_follow_up):
        parts.to_follow_up.move_to_end(id_)  # who fails keeps nobody waiting the next time
        holds.requeue_valid_again(parts.store, customers[id_], now)
        holds.requeue_returned(parts.store, id_, now)
        del parts.to_follow_up[id_]
    parts.ring()


def _let_go_on(parts: Parts, now: datetime) -> None:
    if holds.requeue_approved_meanwhile(parts.store, parts.registry.all(), now):
        parts.ring()


def _look_after_strays(parts: Parts) -> None:
    """Puts aside what no record knows, and erases what has lain there for as long as files are kept."""
    parts.intake.upkeep.clean_shared()
    retention.erase_strays(parts.settings)


def _free_leases(parts: Parts) -> None:
    if queue.free_dead_leases(parts.store, parts.settings):
        parts.ring()


def _beat(parts: Parts, presence: Presence, now: datetime) -> None:
    presence.beat(parts.registry.fingerprint(), now)
    if (parts.ftp or parts.dispatcher) and presence.settle_for_dead(now):
        parts.ring()
