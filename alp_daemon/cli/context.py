"""What every command shares: ``--config`` and ``--json``, and the store and settings behind them."""

from __future__ import annotations

import functools
import json
import os
import pwd
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from alp_daemon import settings as settings_file
from alp_daemon.customers import Customer, Loaded, load_dir, load_file
from alp_daemon.errors import ConfigurationError, NotFound, Refused
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, is_postgres, migrate, open_store

_PLACES = (Path("configs/alp.yaml"), Path("/etc/alp-daemon/alp.yaml"))


class Context:
    """Settings, store and output of one command, each made when it is first asked for."""

    def __init__(self, config: Path | None, as_json: bool) -> None:
        self._config = config
        self.as_json = as_json

    @cached_property
    def config_path(self) -> Path:
        given = self._config or (Path(os.environ["ALP_CONFIG"]) if os.environ.get("ALP_CONFIG") else None)
        if given is not None:
            if not given.is_file():
                raise ConfigurationError(f"{given}: there is no such file (given by --config or ALP_CONFIG)")
            return given
        for place in _PLACES:
            if place.is_file():
                return place
        raise ConfigurationError(
            f"no configuration: neither {' nor '.join(map(str, _PLACES))} exists; say --config FILE or set ALP_CONFIG"
            " (an empty file works)"
        )

    @cached_property
    def settings(self) -> Settings:
        return settings_file.load(self.config_path)

    @cached_property
    def store(self) -> Store:
        """The database. Raises ``Refused`` for root where the daemon runs as somebody else."""
        self.may_write()
        return open_store(self.settings.database_address)

    def may_write(self) -> None:
        """Raises ``Refused`` for root where the daemon runs as somebody else."""
        _refuse_to_leave_files_of_root(self.settings.database_path or self.settings.data_dir)

    def migrate(self) -> list[str]:
        """Brings the schema up to date; the names of the migrations that it took. Raises as ``store`` does."""
        self.may_write()
        return migrate(self.settings.database_address)

    def stores(self, source: str, target: str) -> tuple[Store, Store]:
        """Two databases by their paths or addresses; the second is made where it is empty."""
        if not is_postgres(source) and not Path(source).is_file():
            raise NotFound(f"{source}: there is no such SQLite file")
        migrate(target)
        return open_store(source), open_store(target)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def customer(self, id_: str) -> Customer:
        """The customer of this id, or the one whose brand has it."""
        path = self.customers_path / f"{id_}.yaml"
        if "/" not in id_ and path.is_file():
            return load_file(path, self.settings.messages.in_force())
        for customer in self.load_customers().customers.values():
            if customer.brand and customer.brand.id == id_:
                return customer
        raise NotFound(f"there is no customer {id_!r}: {path} does not exist, and no customer has a brand of this id")

    def brand(self, id_: str) -> Customer:
        """A customer with a brand, by its own id or by the brand's."""
        customer = self.customer(id_)
        if customer.brand is None:
            raise NotFound(f"customer {customer.id} has no brand; give its file a `brand: {{id: …}}`")
        return customer

    def load_customers(self) -> Loaded:
        """Every customer's file, with all that is wrong in them."""
        return load_dir(self.customers_path, self.settings.messages.in_force())

    @cached_property
    def customers_path(self) -> Path:
        """Where the customers' files are that are in force: for `customers_from: database` brought here first."""
        if self.settings.customers_from == "database":
            from alp_daemon.services import customerfolder  # most installations need none of it

            customerfolder.bring(self.store, self.settings)
        return self.settings.customers_path

    def show(self, data: Any, text: str | Callable[[], None]) -> None:
        """Data on stdout: as JSON if asked for, else as text or by calling what draws it."""
        if self.as_json:
            click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        elif callable(text):
            text()
        else:
            click.echo(text)

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
    user = _user_name(here.stat().st_uid)
    raise Refused(
        f"{here} belongs to {user}, who could not write to what root leaves there; say `sudo -u {user} alp-daemon …`"
    )


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def say(message: str) -> None:
    """Talk goes to stderr, so that stdout is data only."""
    click.echo(message, err=True)


def command(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A command with ``--config`` and ``--json``; its function gets a ``Context`` first."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @click.command(name, **attributes)
        @click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="alp.yaml to use.")
        @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
        @functools.wraps(function)
        def run(config: Path | None, as_json: bool, **arguments: Any) -> Any:
            return function(Context(config, as_json), **arguments)

        decorated: click.Command = run
        return decorated

    return decorate
