"""The running program: what is wired to what, the signals, and the duties that come round by themselves."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

from alp_daemon import log, ports, sdnotify
from alp_daemon.channels.ftp import FtpServer
from alp_daemon.channels.watch import DropWatcher
from alp_daemon.channels.web import WebServer
from alp_daemon.channels.web.site import Site
from alp_daemon.dispatcher import Dispatcher
from alp_daemon.duties import Duty, do_due
from alp_daemon.errors import AlpError, ConfigurationError, Unavailable
from alp_daemon.registry import Registry
from alp_daemon.services import approval_link, holds, idempotency, notify, publish, queue, retention
from alp_daemon.services.access import Access
from alp_daemon.services.intake import Intake
from alp_daemon.services.rules import unapproved
from alp_daemon.services.sessions import Sessions
from alp_daemon.services.unworked import report_unworked
from alp_daemon.settings import Settings
from alp_daemon.store.store import open_store

# An idle daemon ends within this; a transaction under way is finished first.
STOP_SECONDS = 10.0
# No ping goes to systemd once a loop has not gone round for this long.
STALLED_SECONDS = 60.0
MAIL_SECONDS = 5.0
# What a role runs. Each part runs once for a data_dir, in one process with the others or in one of its own.
_PARTS = {"all": ("ftp", "worker", "web"), "ftp": ("ftp",), "worker": ("worker",), "web": ("web",)}


class Daemon:
    """All parts of one process. ``run`` returns after SIGTERM or SIGINT, with everything put away."""

    def __init__(self, settings: Settings, role: str) -> None:
        self._settings = settings
        self._role = role
        self._stop = threading.Event()
        # put() is the one way to pass on a signal that cannot deadlock: Event.set() in a handler waits for a lock that
        # the interrupted wait() may hold.
        self._signals: SimpleQueue[int] = SimpleQueue()
        self._locks = [_locked(settings.data_dir, part) for part in _PARTS[role]]
        self._store = open_store(settings.database_address)
        self._registry = Registry(settings.customers_dir, settings.messages.in_force())
        self._dispatcher = Dispatcher(self._store, settings, self._registry) if role in ("all", "worker") else None
        self._intake = Intake(
            self._store, settings, self._registry, on_due=self._dispatcher.bell if self._dispatcher else lambda: None
        )
        self._access = Access(self._store, settings.lockout)
        self._ftp = FtpServer(settings, self._access, self._intake, self._registry) if role in ("all", "ftp") else None
        self._drop = DropWatcher(settings, self._registry, self._intake) if role in ("all", "ftp") else None
        self._web = WebServer(self._site()) if role in ("all", "web") else None
        self._duties = self._all_duties()
        # A mail server may keep us waiting for minutes; nothing else should wait with us.
        self._mailer = threading.Thread(target=self._send_mail, name="mail", daemon=True)

    def run(self) -> None:
        log.tell_everything()
        self._take_signals()
        self._start()
        try:
            sdnotify.notify("READY=1", f"STATUS={self._status()}")
            log.info("ready", role=self._role, **self._ports())
            self._serve()
        finally:
            sdnotify.notify("STOPPING=1")
            self._put_away()
            log.info("stopped", role=self._role)

    def _start(self) -> None:
        now = datetime.now(UTC)
        self._look_at_customers(now)
        queue.free_dead_leases(self._store)
        if self._ftp and self._drop:
            self._intake.recover(now)
            self._ftp.start()
            self._drop.start()
        if self._dispatcher:
            self._dispatcher.start()
            self._mailer.start()
        if self._web:
            self._web.start()
        if self._ftp or self._web:
            ports.add(self._settings.data_dir, self._ports(), is_main=self._ftp is not None)

    def _serve(self) -> None:
        """The main loop: signals, duties, and the pings that say all is well."""
        while not self._stop.is_set():
            do_due(self._duties)
            if sdnotify.watchdog_seconds() and self._makes_progress():
                sdnotify.notify("WATCHDOG=1")
            self._obey()

    def _obey(self) -> None:
        """Waits a second, or until a signal says what to do."""
        try:
            number = self._signals.get(timeout=1.0)
        except Empty:
            return
        if number == signal.SIGHUP:
            self._reloaded()
        else:
            self._stop.set()

    def _put_away(self) -> None:
        """In the order of the flow: nothing new comes in, then what came in is finished."""
        taken = self._ports()
        if self._web:
            self._web.stop(STOP_SECONDS / 4)
        if self._drop:
            self._drop.stop()
        if self._ftp:
            self._ftp.stop(STOP_SECONDS / 4)
        if self._dispatcher:
            self._dispatcher.stop(STOP_SECONDS / 2)
        if self._ftp or self._web:
            ports.remove(self._settings.data_dir, taken)
            with suppress(AlpError):  # the last seconds' log-ins are not worth a disorderly stop
                self._access.count()
        self._store.close()
        for lock in self._locks:
            os.close(lock)

    def _all_duties(self) -> list[Duty]:
        scan = self._settings.scan_every.total_seconds()
        duties = [Duty(scan, self._look_at_customers)]
        if self._ftp:
            duties += [Duty(1, self._intake.tick)]
        if self._ftp or self._web:
            duties += [Duty(10, lambda _: self._access.count())]
        if self._web:
            sessions = Sessions(self._store, self._settings.web)
            duties += [
                Duty(3600, sessions.forget_old),
                Duty(3600, lambda now: idempotency.forget_old(self._store, now)),
                Duty(3600, lambda now: approval_link.forget_old(self._store, now)),
            ]
        if self._dispatcher:
            duties += [
                Duty(2, lambda now: report_unworked(self._store, self._settings, self._registry.all(), now)),
                Duty(10, lambda _: self._free_leases()),
                Duty(30, lambda _: publish.publish(self._store, self._settings)),
                Duty(60, lambda now: holds.remind(self._store, self._settings, self._registry.all(), now)),
                Duty(3600, lambda now: retention.erase_old_files(self._store, self._settings, now)),
                Duty(3600, lambda now: retention.forget_old_logins(self._store, self._settings, now)),
            ]
        return duties

    def _look_at_customers(self, now: datetime) -> None:
        result = self._registry.reload(now)
        for problem in result.problems:
            log.warning("configuration_problem", problem=str(problem))
        for customer in (*result.added, *result.changed):
            log.info("customer_loaded", customer=customer)
        customers = self._registry.all()
        for sentence in unapproved(self._store, [customers[id_] for id_ in (*result.added, *result.changed)]):
            log.warning("feed_not_approved", problem=sentence)
        for customer in result.missing:
            log.warning("customer_missing", customer=customer)
        for customer in (*result.added, *result.changed):
            holds.requeue_valid_again(self._store, customers[customer])
        for customer in (*result.added, *result.returned):
            self._intake.prepare(customer)
            holds.requeue_returned(self._store, customer)
        if self._dispatcher and (result.added or result.changed or result.returned):
            self._dispatcher.bell()

    def _reloaded(self) -> None:
        """SIGHUP. Customers are read anew; ``alp.yaml`` itself is read at start only."""
        sdnotify.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._look_at_customers(datetime.now(UTC))
        sdnotify.notify("READY=1", f"STATUS={self._status()}")
        log.info("reloaded")

    def _send_mail(self) -> None:
        duty = Duty(MAIL_SECONDS, lambda now: notify.send_due(self._store, self._settings.smtp, now))
        while not self._stop.wait(1.0):
            do_due([duty])
        self._store.close()

    def _free_leases(self) -> None:
        if queue.free_dead_leases(self._store) and self._dispatcher:
            self._dispatcher.bell()

    def _makes_progress(self) -> bool:
        return not any(_stalled(part) for part in (self._ftp, self._dispatcher, self._web) if part is not None)

    def _site(self) -> Site:
        """What the web side needs of the rest. /readyz asks the parts that run in this process."""
        parts = {"ftp": self._ftp, "worker": self._dispatcher}
        checks = {name: partial(_stalled, part) for name, part in parts.items() if part is not None}
        return Site(self._store, self._settings, self._access, self._intake, self._registry, checks)

    def _ports(self) -> dict[str, int]:
        listening = {"ftp": self._ftp, "web": self._web}
        return {name: part.port for name, part in listening.items() if part is not None}

    def _status(self) -> str:
        listening = (f", {name} on port {port}" for name, port in self._ports().items())
        return f"{len(self._registry.all())} customers" + "".join(listening)

    def _take_signals(self) -> None:
        def pass_on(number: int, _frame: FrameType | None) -> None:
            self._signals.put(number)

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, pass_on)


def send_reload(data_dir: Path) -> int:
    """Tells the running daemon to look at its configuration; returns its process id."""
    pid = ports.pid(data_dir)
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        raise Unavailable(f"no daemon runs on {data_dir} (start it with `alp-daemon serve`)") from error
    return pid


def _stalled(part: FtpServer | Dispatcher | WebServer) -> str | None:
    """What is wrong with a part whose loop has not gone round for long, or None."""
    return "does not go on" if time.monotonic() - part.last_turn >= STALLED_SECONDS else None


def _locked(data_dir: Path, part: str) -> int:
    """Two FTP servers on one data_dir would call each other's uploads cut, two dispatchers double the workers."""
    path = data_dir / f"{part}.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise ConfigurationError(
            f"data_dir {data_dir}: cannot be written ({error.strerror}); name a folder of the daemon's own user,"
            " under systemd data_dir: /var/lib/alp-daemon"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Unavailable(f"{data_dir}: another alp-daemon runs on this data_dir; stop it first") from error
    return descriptor
