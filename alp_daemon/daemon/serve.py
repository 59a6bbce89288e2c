"""The running program: its start and its stop, the signals, and the main loop."""

from __future__ import annotations

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
from alp_daemon.daemon import memory
from alp_daemon.daemon.duties import Duty, do_due
from alp_daemon.daemon.partlocks import locked
from alp_daemon.daemon.parts import assemble
from alp_daemon.daemon.rounds import look_at_customers, rounds, rounds_aside
from alp_daemon.errors import AlpError, Refused, Unavailable
from alp_daemon.services.operations.nodes import PARTS
from alp_daemon.services.processing import queue
from alp_daemon.settings import Settings

# An idle daemon ends within this; a transaction under way is finished first.
STOP_SECONDS = 10.0


class Daemon:
    """All parts of one process. ``run`` returns after SIGTERM or SIGINT, with everything put away."""

    def __init__(self, settings: Settings, role: str) -> None:
        self._settings = settings
        self._role = role
        self._stop = threading.Event()
        # put() is the one way to pass on a signal that cannot deadlock: Event.set() in a handler waits for a lock that
        # the interrupted wait() may hold.
        self._signals: SimpleQueue[int] = SimpleQueue()
        self._locks = [locked(settings.data_dir, part) for part in PARTS[role]]
        self._parts = assemble(settings, role)
        self._duties = rounds(self._parts)
        self._threads = [
            threading.Thread(target=self._do_aside, args=(duty,), name=name, daemon=True)
            for name, duty in rounds_aside(self._parts).items()
        ]

    def run(self) -> None:
        log.tell_everything()
        self._take_signals()
        self._start()
        memory.freeze()
        try:
            sdnotify.notify("READY=1", f"STATUS={self._status()}")
            log.info("ready", node=self._settings.node_name, role=self._role, **self._parts.ports)
            self._serve()
        finally:
            sdnotify.notify("STOPPING=1")
            self._put_away()
            log.info("stopped", node=self._settings.node_name, role=self._role)

    def _start(self) -> None:
        parts, now = self._parts, datetime.now(UTC)
        parts.intake.claim_spool()
        if parts.presence:
            parts.presence.enter(now)
        look_at_customers(parts, now)
        queue.free_dead_leases(parts.store, self._settings)
        if parts.ftp:
            parts.intake.upkeep.recover()
            parts.ftp.start()
        elif parts.web:
            parts.intake.upkeep.clean_incoming()
        if parts.web:
            parts.web.start()
        if parts.drop:
            # Before anything is worked, so that what was half picked up has its place in the queue again; and behind
            # all that need not wait for a folder which does not answer.
            parts.drop.start()
        if parts.dispatcher:
            parts.dispatcher.start()
        if parts.ports:
            ports.add(
                self._settings.data_dir,
                parts.ports,
                is_main=parts.ftp is not None,
                settings=self._settings.digests,
                read_at=f"{now:%Y-%m-%d %H:%M:%S} (UTC)",
            )
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        """The main loop: signals, duties, and the pings that say all is well."""
        while not self._stop.is_set():
            self._end_if_displaced()
            do_due(self._duties)
            if sdnotify.watchdog_seconds() and self._parts.all_go_on:
                sdnotify.notify("WATCHDOG=1")
            self._obey()

    def _end_if_displaced(self) -> None:
        """Two that go by one name would take each other's files for lost."""
        if self._parts.presence and self._parts.presence.is_displaced:
            raise Unavailable(
                f"another daemon has taken the name of node {self._settings.node_name} on this database, while this one"
                " was not heard of for longer than a lease; this one ends. Give every node a name of its own (`node`"
                " in alp.yaml)"
            )

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
        parts, taken = self._parts, self._parts.ports
        if parts.web:
            parts.web.stop(STOP_SECONDS / 4)
        if parts.drop:
            parts.drop.stop(STOP_SECONDS / 4)
        if parts.ftp:
            parts.ftp.stop(STOP_SECONDS / 4)
        if parts.dispatcher:
            parts.dispatcher.stop(STOP_SECONDS / 2)
        if taken:
            ports.remove(self._settings.data_dir, taken)
            with suppress(AlpError):  # the last seconds' log-ins are not worth a disorderly stop
                parts.access.count()
        if parts.presence:
            with suppress(AlpError):  # the others will notice
                parts.presence.leave()
        parts.store.close()
        for lock in self._locks:
            os.close(lock)

    def _do_aside(self, duty: Duty) -> None:
        while not self._stop.is_set():
            do_due([duty])
            self._stop.wait(1.0)
        self._parts.store.close()

    def _reloaded(self) -> None:
        """SIGHUP. Customers and certificates are read anew; ``alp.yaml`` itself is read at start only."""
        sdnotify.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        # Trouble that passes must not end the daemon because somebody asked for a look.
        do_due([Duty(0, partial(look_at_customers, self._parts))])
        for part in (self._parts.ftp, self._parts.web):
            if part is not None:
                part.reload_certificate()
        sdnotify.notify("READY=1", f"STATUS={self._status()}")
        log.info("reloaded")

    def _status(self) -> str:
        listening = (f", {name} on port {port}" for name, port in self._parts.ports.items())
        return f"{len(self._parts.registry.all())} customers" + "".join(listening)

    def _take_signals(self) -> None:
        def pass_on(number: int, _frame: FrameType | None) -> None:
            self._signals.put(number)

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, pass_on)


def send_reload(data_dir: Path) -> int:
    """Tells the running daemon to look at its configuration; returns its process id.

    Raises ``Unavailable`` where none runs, and ``Refused`` where it is another user's.
    """
    running = ports.running(data_dir)
    if running is None:
        raise Unavailable(f"no daemon runs on {data_dir} (start it with `alp-daemon serve`)")
    try:
        os.kill(running.pid, signal.SIGHUP)
    except ProcessLookupError as error:
        raise Unavailable(f"the daemon on {data_dir} has just stopped (start it with `alp-daemon serve`)") from error
    except PermissionError as error:
        raise Refused(
            f"process {running.pid}, the daemon, runs as another user; reload as that user or root"
        ) from error
    return running.pid
