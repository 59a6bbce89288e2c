"""The customers' files in the database: push, pull, and the versions there were."""

from __future__ import annotations

from pathlib import Path

import click

from alp_daemon.cli.arguments import WHOLE_NUMBER, by_required
from alp_daemon.cli.context import Context, command, say
from alp_daemon.cli.times import to_seconds
from alp_daemon.customers import Loaded
from alp_daemon.errors import UsageProblem
from alp_daemon.services.configuration import customerfiles, customerfolder
from alp_daemon.services.configuration.customerfiles import Pushed
from alp_daemon.services.processing.rules import unapproved


@click.group("customers")
def customers_command() -> None:
    """One version of all customers' files for all nodes (`customers_from: database`)."""


@command("push")
@by_required("Who does this; it is kept with the version.")
@click.option("--folder", type=click.Path(path_type=Path), metavar="DIR", help="The files; customers_dir by default.")
@click.option("--version", type=WHOLE_NUMBER, metavar="N", help="Go back to this version instead.")
@click.option("--remove", is_flag=True, help="Customers without a file in it are meant to go.")
@click.option("--anyway", is_flag=True, help="Also if another version than that of the folder is in force.")
def _push(context: Context, by: str, folder: Path | None, version: int | None, remove: bool, anyway: bool) -> None:
    """Check all files, and make them the version that every node works by. All of them, or none."""
    words, now = context.settings.messages.in_force(), context.now
    if version is not None:
        if folder is not None:
            raise UsageProblem("say either --folder DIR or --version N")
        loaded = customerfolder.checked_version(context.store, version, words)
        pushed = customerfiles.go_back(context.store, version, loaded.texts, by, now, remove=remove)
    else:
        source = folder or context.settings.customers_dir
        loaded = customerfolder.checked(source, words)
        based_on = customerfolder.stand_of(source)
        pushed = customerfiles.push(
            context.store, loaded.texts, by, now, based_on=based_on, anyway=anyway, remove=remove
        )
        _note(source, pushed)
    _show_pushed(context, pushed, loaded)


@command("pull")
@click.option("--out", "folder", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where to.")
def _pull(context: Context, folder: Path) -> None:
    """Write the version in force into a folder, to be edited there and pushed again."""
    stand = customerfolder.pull(context.existing_store, folder)
    context.show(
        {"version": stand.version, "folder": str(folder)},
        f"{folder} is version {stand.version}\nEdit it, then: alp-daemon customers push --folder {folder} --by NAME",
    )


@command("versions")
def _versions(context: Context) -> None:
    """List the versions that are kept, newest first."""
    found = customerfiles.versions(context.existing_store)
    data = [
        {
            "version": each.version,
            "pushed_at": each.pushed_at,
            "pushed_by": each.pushed_by,
            "customers": each.customers,
            "fingerprint": each.fingerprint,
            "repeats": each.repeats,
        }
        for each in found
    ]
    rows = [
        [
            each.version,
            to_seconds(each.pushed_at),
            each.pushed_by,
            each.customers,
            each.fingerprint[:16],
            each.repeats or "",
        ]
        for each in found
    ]
    columns = ["version", "pushed", "by", "customers", "fingerprint", "back to"]
    context.show(data, lambda: context.table(columns, rows))


for _command in (_push, _pull, _versions):
    customers_command.add_command(_command)


def _note(folder: Path, pushed: Pushed) -> None:
    """It is pushed, whatever becomes of the note: a folder may be for reading only."""
    try:
        customerfolder.note_stand(folder, pushed.stand)
    except OSError as error:
        say(f"{folder}: cannot note its version there ({error.strerror}); the next push of this folder needs --anyway")


def _show_pushed(context: Context, pushed: Pushed, loaded: Loaded) -> None:
    for problem in loaded.problems:
        say(str(problem))
    touched = [loaded.customers[id_] for id_ in (*pushed.added, *pushed.changed)]
    lapsed = unapproved(context.store, touched)
    if context.settings.customers_from == "folder":
        say("this node reads customers_dir itself; say `customers_from: database` in alp.yaml where it shall not")
    data = {
        "version": pushed.stand.version,
        "added": pushed.added,
        "changed": pushed.changed,
        "removed": pushed.removed,
        "needs_approval": lapsed,
    }
    context.show(data, lambda: _print_pushed(pushed, lapsed))


def _print_pushed(pushed: Pushed, lapsed: list[str]) -> None:
    if not pushed.is_new:
        click.echo(f"nothing differs from version {pushed.stand.version}, which stays in force")
        return
    for what, ids in (("added", pushed.added), ("changed", pushed.changed), ("removed", pushed.removed)):
        if ids:
            click.echo(f"{what}: {', '.join(ids)}")
    for sentence in lapsed:
        click.echo(sentence)
    click.echo(f"version {pushed.stand.version} is in force; nodes load it within seconds")
