"""The service itself: run it, check it, and see how it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from alp_daemon import certificates
from alp_daemon.cli.context import Context, command, say
from alp_daemon.customers import Loaded
from alp_daemon.customers import json_schema as customer_schema
from alp_daemon.errors import ConfigurationError
from alp_daemon.problem import ConfigurationFileError, Problem
from alp_daemon.services.processing.rules import unapproved
from alp_daemon.settings import Settings
from alp_daemon.settings import json_schema as settings_schema
from alp_daemon.yamlfile import read


@command("serve")
@click.option(
    "--role",
    type=click.Choice(["all", "ftp", "web", "worker"]),
    default="all",
    show_default=True,
    help="What this process does: take files by FTP, serve the web side, work files, or all of it.",
)
def serve_command(context: Context, role: str) -> None:
    """Run the daemon until SIGTERM."""
    from alp_daemon.daemon.serve import Daemon

    Daemon(context.settings, role).run()


@command("demo")
@click.option("--once", is_flag=True, help="Exit when done; non-zero if anything differs from what samples/ promise.")
def demo_command(context: Context, once: bool) -> int:
    """Show everything at work: a throw-away server, real uploads, and what became of each."""
    from alp_daemon.demo import run

    return run(once=once, as_json=context.as_json)


@command("check-config")
def check_config_command(context: Context) -> int:
    """Check alp.yaml and every customer's file; list every problem at once."""
    try:
        settings = context.settings
    except ConfigurationFileError as error:
        loaded, lapsed = Loaded(problems=error.problems), []
    else:
        wrong = _certificate_problems(context.config_path, settings, context.now)
        loaded = context.load_customers()
        loaded = replace(loaded, problems=(*wrong, *loaded.problems))
        # Where there is no database, nothing is approved, which need not be said of each feed.
        lapsed = [] if context.lacks_database else unapproved(context.store, loaded.customers.values())
    data = {
        "config": str(context.config_path),
        "customers": sorted(loaded.customers),
        "problems": [problem.as_dict() for problem in loaded.problems],
        "needs_approval": lapsed,
    }
    context.show(data, lambda: _print_check(loaded, lapsed))
    return ConfigurationError.exit_code if loaded.errors else 0


@command("reload")
def reload_command(context: Context) -> None:
    """Tell the running daemon to look at the customers' files now."""
    from alp_daemon.daemon.serve import send_reload
    from alp_daemon.services.operations.machine import outdated

    pid = send_reload(context.settings.data_dir)
    if needs_restart := outdated(context.settings):
        say(needs_restart)
    loaded = context.load_customers()
    lapsed = unapproved(context.store, loaded.customers.values())
    for problem in loaded.problems:
        say(str(problem))
    for sentence in lapsed:
        say(sentence)
    data = {"pid": pid, "needs_approval": lapsed, "needs_restart": needs_restart is not None}
    context.show(data, f"told the daemon (process {pid}) to reload")


@command("doctor")
def doctor_command(context: Context) -> int:
    """Say what is not as it should be, and what to do about it."""
    from alp_daemon.services.operations.doctor import examine
    from alp_daemon.services.operations.finding import Finding

    with context.store_as_it_is() as store:
        findings = examine(store, context.settings, context.load_customers(), context.now)
    if context.lacks_database:
        findings.insert(0, Finding("error", context.told_of_no_database))
    data = [finding.as_dict() for finding in findings]
    context.show(data, lambda: _print_findings(data))
    return 69 if any(finding.severity == "error" for finding in findings) else 0


@command("schema")
@click.argument("which", type=click.Choice(["settings", "customer"]))
def schema_command(context: Context, which: str) -> None:
    """Print the JSON Schema of alp.yaml or of a customer's file, for editors."""
    schema = settings_schema() if which == "settings" else customer_schema()
    context.show(schema, json.dumps(schema, indent=2))


def _certificate_problems(config: Path, settings: Settings, now: datetime) -> Iterator[Problem]:
    """Where alp.yaml names certificates or keys that `serve` could not use, and those that expire."""
    for pair in certificates.pairs(settings):
        try:
            expiry = pair.judge(now)
        except ConfigurationError as error:
            where = tuple(pair.section.split("."))
            yield read(config).problem(where, str(error).removeprefix(f"{pair.section}: "), at_key=True)
        else:
            # alp.yaml itself is right, and `serve` starts: it is the doctor who calls one that has expired an error.
            if expiry:
                yield Problem(expiry.file, 1, 1, f"{expiry.section}: {expiry.message}", severity="warning")


def _print_check(loaded: Loaded, lapsed: list[str]) -> None:
    for line in [*map(str, loaded.problems), *lapsed]:
        click.echo(line)
    click.echo(
        f"{len(loaded.customers)} customer(s) usable, {len(loaded.errors)} error(s), {len(loaded.warnings)} warning(s)"
    )


def _print_findings(findings: list[dict[str, str]]) -> None:
    for finding in findings:
        click.echo(f"{finding['severity']}: {finding['message']}")
    if not findings:
        click.echo("all is well")
