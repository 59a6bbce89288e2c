"""The door: greets, judges, and keeps locked-out addresses outside."""

# ruff: noqa: N802  methods are named by pyftpdlib

from __future__ import annotations

import secrets
from collections.abc import Hashable
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyftpdlib.ioloop import IOLoop

from alp_daemon import log
from alp_daemon.channels.ftp.control import ControlChannel
from alp_daemon.channels.ftp.folder import CustomerFolder
from alp_daemon.domain.lockout import normalise
from alp_daemon.errors import AlpError
from alp_daemon.registry import CustomerStatus
from alp_daemon.services.logins.access import Denied, LockedOut, Login

if TYPE_CHECKING:
    from alp_daemon.channels.ftp.listener import Listener

_WRONG = "Log-in refused: unknown user or wrong password."


class LoginSession(ControlChannel):
    """Greets, judges and refuses."""

    banner = "alp-daemon is ready."

    def __init__(self, connection: Any, server: Listener, ioloop: IOLoop | None = None) -> None:
        self.id = secrets.token_hex(8)
        self.customer = ""
        self._is_balancers = False
        """A balancer's own connection, to see whether we are well: nobody logs in on it, so nobody is locked out."""
        super().__init__(connection, server, ioloop)
        if self.connected:
            self.call_later(server.login_seconds, self._too_slow)

    @property
    def lane(self) -> Hashable:
        """Of a customer its own: one that has many sessions must not take all threads from the others."""
        return self.customer or self

    def handle(self) -> None:
        """A new connection: greeted, or told how long it is locked out."""
        threads = self.server.crew.greeting
        self.wait_for(lambda: self.server.access.locked_until(self.ip, self.now()), self._greet, threads=threads)

    def handle_balancer(self) -> None:
        """A health check of a balancer: greeted as a client would be, if an upload could be kept."""

        def look() -> str | None:
            self.server.access.locked_until(self.ip, self.now())
            return self.server.intake.spool_trouble()

        self._is_balancers = True
        self.wait_for(look, self._greet_balancer, threads=self.server.crew.greeting)

    def _greet(self, future: Future[datetime | None]) -> None:
        try:
            until = future.result()
        except AlpError as error:
            self._send_away(str(error))
            return
        if until is None:
            self.respond(f"220 {self.banner}")
        else:
            log.info("ftp_refused", ip=self.ip, reason="locked out", until=until.isoformat())
            self.leave(f"421 {_until(until)}")

    def _greet_balancer(self, future: Future[str | None]) -> None:
        try:
            trouble = future.result()
        except AlpError as error:
            trouble = str(error)
        if trouble is None:
            self.respond(f"220 {self.banner}")
        else:
            self._send_away(trouble)

    def _send_away(self, reason: str) -> None:
        log.error("ftp_unavailable", ip=self.ip, reason=reason)
        self.leave("421 Not available just now; try again.")

    def _too_slow(self) -> None:
        if self.authenticated:
            return
        if self._ssl_accepting:
            self.close()
        else:
            self.leave(f"421 No log-in within {self.server.login_seconds:.0f} seconds.")

    def ftp_PASS(self, line: str) -> None:
        if self.authenticated:
            self.respond("503 You are logged in already.")
        elif not self.username:
            self.respond("503 Send USER first.")
        elif self._is_balancers:
            self.respond("530 The PROXY header of this connection names no client; nobody can log in on it.")
        else:
            user, ip = self.username, self.ip
            # One address, one judgement at a time: however many guesses come at once, they cannot keep both
            # threads of the judge from other addresses.
            self.wait_for(
                lambda: self.server.access.judge(ip, user, line, self.now()),
                lambda future: self._judged(user, future),
                threads=self.server.crew.judging,
                lane=normalise(ip),
            )

    def _judged(self, user: str, future: Future[Login | Denied | LockedOut]) -> None:
        try:
            verdict = future.result()
        except AlpError as error:
            log.error("ftp_unavailable", ip=self.ip, reason=str(error))
            self.respond("451 The log-in cannot be judged just now; try again.")
            return
        if isinstance(verdict, Login):
            self._welcome(verdict)
        elif isinstance(verdict, LockedOut):
            log.info("ftp_refused", ip=self.ip, reason="locked out", until=verdict.until.isoformat())
            self.leave(f"421 {_until(verdict.until)}")
        else:
            log.warning("ftp_login_failed", ip=self.ip, user=user)
            if verdict.until is None:
                self.respond(f"530 {_WRONG}")
            else:
                log.warning("ftp_locked_out", ip=self.ip, until=verdict.until.isoformat())
                self.respond(f"530 {_WRONG} {_until(verdict.until)}")

    def _welcome(self, login: Login) -> None:
        status = self.server.registry.status(login.customer, self.now())
        if status is not CustomerStatus.active:
            log.warning("ftp_refused", ip=self.ip, user=login.user, reason=f"customer is {status}")
            self.respond("530 This account is not configured at the moment; ask your provider, then try again.")
            return
        self.wait_for(
            lambda: self.server.intake.prepare(login.customer),
            lambda future: self._admit(login, future),
            threads=self.server.crew.looking,
            lane=login.customer,
        )

    def _admit(self, login: Login, future: Future[Any]) -> None:
        try:
            home = future.result()
        except AlpError as error:
            log.error("ftp_unavailable", customer=login.customer, reason=str(error))
            self.respond("451 Your folder is not available just now; try again.")
            return
        self.customer = login.customer
        self.authenticated = True
        self.fs = CustomerFolder(home, self)
        log.info(
            "ftp_login",
            session=self.id,
            ip=self.ip,
            user=login.user,
            customer=login.customer,
            tls=self.is_secure,
        )
        self.respond(f"230 Welcome, {login.user}.")


def _until(until: datetime) -> str:
    # Rounded up: at the second named, the address is free.
    free = until + timedelta(microseconds=-until.microsecond % 1_000_000)
    return f"Too many failed log-ins: your address is blocked until {free:%Y-%m-%d %H:%M:%S} UTC."
