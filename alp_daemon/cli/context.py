"""What every command shares: ``--config`` and ``--json``, and the store and settings behind them."""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alp_daemon import ports
from alp_daemon import settings as settings_file
from alp_daemon.cli import configuration
from alp_daemon.cli.arguments import name_of_user, readable
from alp_daemon.customers import SUFFIX, Customer, Loaded, load_dir, load_file
from alp_daemon.errors import NotFound, Refused
from alp_daemon.problem import ConfigurationFileError
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, migrate, open_store

if TYPE_CHECKING:
    from alp_daemon.services.addresses.codes import Addressee

_CONFIG_HELP = "alp.yaml to use; else that of ALP_CONFIG, configs/alp.yaml here, or /etc/alp-daemon/alp.yaml."


class Context:
    """Settings, store and output of one command, each made when it is first asked for."""

    def __init__(self, config: Path | None, as_json: bool) -> None:
        self._config = config
        self.as_json = as_json

    @cached_property
    def config_path(self) -> Path:
        return configuration.find(self._config)

    @cached_property
    def settings(self) -> Settings:
        return settings_file.load(self.config_path)

    @cached_property
    def store(self) -> Store:
        """The database, made where there is none: for commands that put something into it.

        Raises ``Refused`` for root where the daemon runs as somebody else.
        """
        self.may_write()
        return open_store(self.settings.database_address)

    @property
    def existing_store(self) -> Store:
        """The database, for commands that only ask. To make one would be to say that all is well with nothing.

        Raises ``NotFound`` where there is none, and as ``store`` does: SQLite writes beside what it reads.
        """
        if self.lacks_database:
            raise NotFound(f"{self.told_of_no_database}; if it should be there, {self.config_path} is the wrong file")
        return self.store

    @contextmanager
    def store_as_it_is(self) -> Iterator[Store]:
        """The database, or where there is none an empty one that is gone afterwards: nothing has happened yet."""
        if not self.lacks_database:
            yield self.store
            return
        with tempfile.TemporaryDirectory(prefix="alp-daemon-") as folder:
            store = open_store(Path(folder) / "alp.db")
            try:
                yield store
            finally:
                store.close()

    @property
    def lacks_database(self) -> bool:
        """Whether it is a file that is still to be made."""
        path = self.settings.database_path
        return path is not None and not path.exists()

    @property
    def told_of_no_database(self) -> str:
        return f"{self.settings.database_path}: there is no database yet (`alp-daemon serve` makes it)"

    def may_write(self) -> None:
        """Raises ``Refused`` for root where the daemon runs as somebody else."""
        _refuse_to_leave_files_of_root(self.settings.database_path or self.settings.data_dir)

    def migrate(self) -> list[str]:
        """Brings the schema up to date; the names of the migrations that it took. Raises as ``store`` does."""
        self.may_write()
        return migrate(self.settings.database_address)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def customer(self, id_: str) -> Customer:
        """The customer of this id, or the one whose brand has it."""
        path = self.customers_path / f"{id_}{SUFFIX}"
        if "/" not in id_ and path.is_file():
            return load_file(path, self.settings.messages.in_force())
        for customer in self.load_customers().customers.values():
            if customer.brand and customer.brand.id == id_:
                return customer
        raise NotFound(f"there is no customer {id_!r}: {path} does not exist, and no customer has a brand of this id")

    def addressee(self, id_: str) -> Addressee:
        """The same for what asks no more of a customer's file than whose it is: a STOP waits for nobody to mend it.

        Where the file is broken or gone, it is as the daemon last read it, which is told on stderr. Raises as
        ``customer`` does where that is unknown.
        """
        from alp_daemon.services.addresses import codes  # few commands need it

        try:
            return codes.addressee(self.customer(id_))
        except (ConfigurationFileError, NotFound):
            known = None if self.lacks_database else codes.known(self.store, id_)
            if known is None:
                raise
        say_of_unusable(id_, "name, keyword and region")
        return known

    def brand(self, id_: str) -> Customer:
        """A customer with a brand, by its own id or by the brand's."""
        customer = self.customer(id_)
        if customer.brand is None:
            raise NotFound(f"customer {customer.id} has no brand; give its file a `brand: {{id: …}}`")
        return customer

    def must_know(self, id_: str) -> None:
        """Raises ``NotFound`` as ``customer`` does. A file that cannot be used is a customer's too."""
        if not self._has_file(id_):
            self.customer(id_)

    def _has_file(self, id_: str) -> bool:
        return "/" not in id_ and (self.customers_path / f"{id_}{SUFFIX}").is_file()

    @property
    def who_works_on_it(self) -> str:
        """What becomes of a file that waits in the queue. Of other machines' daemons nothing is known here."""
        if self.settings.database_path and ports.running(self.settings.data_dir) is None:
            return "no daemon runs, start it with `alp-daemon serve`"
        return "the daemon works on it now"

    def load_customers(self) -> Loaded:
        """Every customer's file, with all that is wrong in them."""
        return load_dir(self.customers_path, self.settings.messages.in_force())

    @cached_property
    def customers_path(self) -> Path:
        """Where the customers' files are that are in force: for `customers_from: database` brought here first."""
        if self.settings.customers_from == "database" and not self.lacks_database:
            from alp_daemon.services.configuration import customerfolder  # most installations need none of it

            customerfolder.bring(self.store, self.settings)
        return self.settings.customers_path

    def show(self, data: Any, text: str | Callable[[], None]) -> None:
        """Data on stdout: as JSON if asked for, else as text or by calling what draws it."""
        if self.as_json:
            click.echo(readable(json.dumps(data, indent=2, ensure_ascii=False)))
        elif callable(text):
            text()
        else:
            click.echo(readable(text))

    @contextmanager
    def busy(self, doing: str) -> Iterator[None]:
        """On a terminal, a sign of life with the time that has passed; elsewhere nothing."""
        if not sys.stderr.isatty():
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            progress.add_task(doing, total=None)
            yield

    def table(self, columns: list[str], rows: list[list[Any]]) -> None:
        """A table for people on a terminal, tab-separated lines for pipes."""
        if sys.stdout.isatty():
            from rich.console import Console
            from rich.table import Column, Table

            # Where it is narrow, lines break and nothing is cut off; the first two columns say which and when.
            heads = [Column(name, no_wrap=name in columns[:2], overflow="fold") for name in columns]
            table = Table(*heads, box=None, header_style="bold", pad_edge=False)
            for row in rows:
                table.add_row(*map(str, row))
            Console().print(table)
        else:
            for row in [columns, *rows]:
                click.echo("\t".join(map(str, row)))


def _refuse_to_leave_files_of_root(place: Path) -> None:
    """Root may write anywhere, but the daemon could not write to what root leaves there: every upload would fail."""
    if os.geteuid() != 0:
        return
    here = place if place.exists() else place.parent
    if not here.exists() or here.stat().st_uid == 0:
        return
    user = name_of_user(here.stat().st_uid)
    raise Refused(
        f"{here} belongs to {user}, who could not write to what root leaves there; say `sudo -u {user} alp-daemon …`"
    )


def say(message: str) -> None:
    """Talk goes to stderr, so that stdout is data only."""
    click.echo(message, err=True)


def say_of_unusable(customer: str, known: str) -> None:
    """Tells that a customer's file is broken or gone, and what is still known of it."""
    say(
        f"alp-daemon: the file of customer {customer} cannot be used (see `alp-daemon check-config`); going by the"
        f" {known} that it had when it last could"
    )


def command(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A command with ``--config`` and ``--json``; its function gets a ``Context`` first."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @click.command(name, **attributes)
        @click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help=_CONFIG_HELP)
        @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
        @functools.wraps(function)
        def run(config: Path | None, as_json: bool, **arguments: Any) -> Any:
            return function(Context(config, as_json), **{name: readable(value) for name, value in arguments.items()})

        decorated: click.Command = run
        return decorated

    return decorate
