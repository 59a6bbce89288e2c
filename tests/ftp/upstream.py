"""pyftpdlib's own functional tests, which its source distribution has and its wheel has not, against our server.

They start their server through one class, ``FtpdThreadWrapper``. Ours stands in for it (``Server``), so that they meet
our listener, our sessions and our intake, with a customer's real folder as their working folder.
"""

from __future__ import annotations

import atexit
import fcntl
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, wraps
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from alp_daemon.channels.ftp import FtpServer
from alp_daemon.channels.ftp.session import Session
from alp_daemon.registry import Registry
from alp_daemon.services.logins.access import Access
from alp_daemon.services.logins.credentials import HASHER
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.settings import Settings
from alp_daemon.store.sqlite import SqliteStore
from alp_daemon.store.store import stamp

PACKAGE = "pyftpdlib_own_tests"
# How long they wait for an answer: theirs is too short for a busy machine, and too long where none shall come.
_PATIENCE = 20
_TIMED_OUT, _SOON = "timed out", 0.5
_KEPT = Path(__file__).parents[2] / ".pytest_cache" / "d"
_CUSTOMER = """\
name: ACME Utilities
keyword: ACME
feeds: {members: {match: "*", mode: append, phones: [1]}}
"""


@dataclass(frozen=True, slots=True)
class Differs:
    """A test that our server must fail. ``says`` is a pattern of the failure: nothing else may make it fail."""

    why: str
    says: str


def functional(name: str) -> ModuleType:
    """A module of theirs. Skips who imports this where the source distribution cannot be had."""
    package()
    module = importlib.import_module(f"{PACKAGE}.{name}")
    if hasattr(module, "get_server_handler"):
        module.get_server_handler = lambda: next(iter(Server.newest.server.sessions))  # type: ignore[attr-defined]
    return module


def classes_of(
    module: ModuleType, otherwise: Mapping[str, Differs | str], not_ours: Collection[str] = ()
) -> dict[str, type[unittest.TestCase]]:
    """The module's test classes but those of ``not_ours``; the tests of ``otherwise`` must fail, or are left out.

    Both name what the module defines; a class that inherits a test that differs, differs too.
    """
    return {
        name: type(name, (each,), {**_otherwise(each, otherwise), "__module__": each.__module__})
        for name, each in vars(module).items()
        if isinstance(each, type)
        and issubclass(each, unittest.TestCase)
        and each.__module__ == module.__name__
        and name not in not_ours
    }


def _otherwise(tests: type, otherwise: Mapping[str, Differs | str]) -> dict[str, Callable[[Any], None]]:
    found = {}
    for name in (name for name in dir(tests) if name.startswith("test_")):
        defined_in = next(each for each in tests.__mro__ if name in vars(each))
        match otherwise.get(f"{defined_in.__name__}.{name}"):
            case Differs() as differs:
                found[name] = _must_fail(getattr(tests, name), differs)
            case str(reason):
                found[name] = unittest.skip(reason)(getattr(tests, name))
    return found


def _must_fail(method: Callable[[Any], None], differs: Differs) -> Callable[[Any], None]:
    once = getattr(method, "__wrapped__", method)  # without `retry_on_failure`, which would fail five times

    @wraps(once)
    def test(self: Any) -> None:
        if differs.says == _TIMED_OUT and self.client is not None:
            self.client.sock.settimeout(_SOON)
        with pytest.raises((Exception, pytest.fail.Exception), match=differs.says):
            once(self)

    test.__doc__ = differs.why
    return test


class Server:
    """Their ``FtpdThreadWrapper``, which runs ours. Options that they set on ``handler`` are this server's alone."""

    newest: Server
    tls = False

    def __init__(self, address: tuple[str, int] | None = None) -> None:
        house = House.of_this_process()
        self.handler = _own_handler()
        settings = house.settings(address[0] if address else "127.0.0.1", tls=self.tls)
        self._ftp = FtpServer(settings, house.access, house.intake, house.registry)
        self.server = self._ftp._listener
        self.server.handler = self.handler
        self.host, self.port = self.server.socket.getsockname()[:2]
        self.lock = threading.Lock()
        Server.newest = self

    def start(self) -> None:
        # What is an option of a class there is a setting of the server here.
        self.server.passive_ports = self.handler.passive_ports
        self.server.masquerade_address = self.handler.masquerade_address
        self.server.tls_required = self.handler.tls_control_required or self.handler.tls_data_required
        self._ftp.start()

    def stop(self) -> None:
        self._ftp.stop(grace=1)


# They read files, which a customer can do in one folder only.
_READING = ("TestFtpRetrieveData", "TestFtpAbort", "TestFtpAuthentication")


class House:
    """What stands behind all servers of a process: a customer, and the log-in that the tests know."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.begins_in = "/"
        (folder / "customers").mkdir()
        (folder / "customers" / "acme.yaml").write_text(_CUSTOMER)
        settings = self.settings("127.0.0.1", tls=False)
        self.registry = Registry(settings.customers_dir)
        self.registry.reload(datetime.now(UTC))
        store = SqliteStore(settings.database_path).open()
        self.access = Access(store, settings.lockout)
        self.intake = Intake(store, settings, self.registry)
        self.home = self.intake.prepare("acme")
        theirs = package()
        # The second is what ftplib says when it is told nothing.
        for id_, (user, password) in enumerate([(theirs.USER, theirs.PASSWD), ("anonymous", "anonymous@")], 1):
            with store.write() as transaction:
                transaction.run(
                    "credentials.add",
                    customer="acme",
                    id=id_,
                    kind="ftp",
                    user=user,
                    secret=HASHER.hash(password),
                    now=stamp(datetime.now(UTC)),
                    by="a test",
                )

    def moves(self, patch: pytest.MonkeyPatch, folder: str) -> None:
        """Lets a test work in this folder of the customer's, and clients begin there."""
        patch.setattr(self, "begins_in", folder)
        patch.chdir(self.home / folder.strip("/"))

    def receives(self, request: pytest.FixtureRequest, patch: pytest.MonkeyPatch) -> None:
        """Lets a test begin where it has something to do."""
        reads = request.cls is not None and request.cls.__name__.startswith(_READING)
        self.moves(patch, "/reports" if reads else "/")

    @staticmethod
    @cache
    def of_this_process() -> House:
        folder = Path(tempfile.mkdtemp(prefix="alp-pyftpdlib-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return House(folder)

    def settings(self, host: str, *, tls: bool) -> Settings:
        certificate = package().CERTFILE
        ftp = {"tls": {"certificate": certificate, "key": certificate, "required": "false"}} if tls else {}
        return Settings.model_validate(
            {
                "data_dir": str(self._folder / "data"),
                "customers_dir": str(self._folder / "customers"),
                "ftp": {"host": host, "port": 0, **ftp},
                # They guess often, and from the address that all tests have.
                "lockout": {"allow": ["127.0.0.0/8", "::1"]},
            }
        )


class _Lodger(Session):
    """Begins in the folder that the test works in."""

    def _admit(self, *verdict: Any) -> None:
        super()._admit(*verdict)
        self.fs.cwd = House.of_this_process().begins_in


def _own_handler() -> Any:
    """Subclasses, whose attributes they may set without setting everybody's."""
    parts = {name: type(name, (getattr(Session, name),), {}) for name in ("dtp_handler", "passive_dtp", "active_dtp")}
    return type("OwnLodger", (_Lodger,), parts)


@cache
def package() -> ModuleType:
    """Their package ``tests`` under a name of its own, with our server for theirs."""
    source = _source()
    spec = importlib.util.spec_from_file_location(
        PACKAGE, source / "__init__.py", submodule_search_locations=[str(source)]
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)
    module.FtpdThreadWrapper = Server  # type: ignore[attr-defined]
    module.GLOBAL_TIMEOUT = _PATIENCE  # type: ignore[attr-defined]
    return module


def _source() -> Path:
    """The folder of their tests, fetched once for each version and then kept."""
    name = f"pyftpdlib-{version('pyftpdlib')}"
    _KEPT.mkdir(parents=True, exist_ok=True)
    with (_KEPT / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (_KEPT / name / "tests").is_dir():
            _fetch(name)
    return _KEPT / name / "tests"


def _fetch(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "pyftpdlib"]
        fetched = subprocess.run(
            [*command, "--retries", "1", "--dest", folder, name.replace("-", "==")], capture_output=True, text=True
        )
        archive = Path(folder) / f"{name}.tar.gz"
        if not archive.exists():
            pytest.skip(f"pyftpdlib's own tests cannot be fetched: {fetched.stderr}", allow_module_level=True)
        subprocess.run(["tar", "-xzf", archive, "-C", _KEPT], check=True)  # Python's own differs between 3.11s
