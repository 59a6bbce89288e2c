"""Setting up a customer: draft, preview, approval, log-ins, and what is loaded beside files."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

import click

from alp_daemon.cli.arguments import NAME, by_default, by_required, readable
from alp_daemon.cli.context import Context, command, say
from alp_daemon.cli.feeds import choose_feed
from alp_daemon.cli.output import STDOUT, write_whole
from alp_daemon.cli.times import to_seconds
from alp_daemon.customers import Customer
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import NotFound, Refused, UsageProblem
from alp_daemon.services.addresses import importing, wholelist
from alp_daemon.services.addresses.importing import Imported
from alp_daemon.services.decisions import approval, approval_link, preview, sheet
from alp_daemon.services.logins.credentials import PROVIDER, Credentials, Issued, Kind
from alp_daemon.services.processing import line_types
from alp_daemon.services.processing.source import Source
from alp_daemon.services.reports import report, reporttext
from alp_daemon.services.web import bulkrequest

_FILE = click.Path(path_type=Path)
_BY = by_required("Who does this; it is kept in the history.")


@command("new-customer")
@click.argument("customer_id", metavar="ID")
@click.option("--sample", type=_FILE, required=True, help="A file as the customer will send it.")
@click.option("--name", help="The customer's name for people; the id by default.")
@click.option("--keyword", help="The word that people text to opt in; made from the id by default.")
@click.option("--region", default="US", show_default=True, help="Country of numbers written without one.")
def new_customer_command(
    context: Context, customer_id: str, sample: Path, name: str | None, keyword: str | None, region: str
) -> None:
    """Write a commented draft of a customer's YAML from a sample file."""
    settings = context.settings
    path = approval.file_of_new(settings.customers_dir, customer_id)
    in_force = context.customers_path / path.name
    if in_force.exists() and in_force != path:
        raise Refused(f"customer {customer_id} exists already; `alp-daemon customers pull` gives you its file")
    approval.write_draft(path, sample, name=name, keyword=keyword, region=region)
    push = "" if settings.customers_from == "folder" else "alp-daemon customers push --by NAME, and "
    context.show(
        {"customer": customer_id, "file": str(path)},
        f"wrote {path}\nRead it, correct it, then: {push}alp-daemon preview {customer_id} {sample}",
    )


@command("preview")
@click.argument("customer_id", metavar="CUSTOMER")
@click.argument("file", type=_FILE)
@click.option("--feed", help="The feed, where the file's name does not say it.")
@click.option(
    "--out", type=_FILE, metavar="OUT.csv", help="Where to write numbers and tags in the standard format; - is stdout."
)
@click.option("--send", is_flag=True, help="Mail the customer a link, good for one decision, to approve it by.")
@click.option("--by", type=NAME, metavar="NAME", help="With --send: who asks for the approval.")
def preview_command(
    context: Context, customer_id: str, file: Path, feed: str | None, out: Path | None, send: bool, by: str | None
) -> None:
    """Show what a file would do. Changes nothing; --out also writes what we make of it, in the standard format."""
    if send and not by:
        raise UsageProblem("--send needs --by NAME: who asks for the approval")
    _check_out(context, file, out)
    customer = context.customer(customer_id)
    chosen = choose_feed(customer, file, feed)
    with context.store_as_it_is() as store:
        found = preview.preview(store, context.settings, customer, chosen, file)
    if out is not None:
        count = write_whole(out, partial(preview.write_standard_format, found.listed))
        say(f"wrote {out}: {count:,} numbers with their tags in the standard format")
    if by and send:
        _send_link(context, customer, chosen, file, by)
    told = {**found.report, "out": str(out) if out else None}
    if out == STDOUT:
        say(reporttext.text(report.masked(found.report)))  # as all on stderr: it may end up in a log
    else:
        context.show(told, lambda: click.echo(reporttext.text(found.report), nl=False))


@command("approve")
@click.argument("customer_id", metavar="CUSTOMER")
@click.option("--sample", type=_FILE, required=True, help="The file that was previewed.")
@click.option("--feed", help="The feed, where the sample's name does not say it.")
@_BY
def approve_command(context: Context, customer_id: str, sample: Path, feed: str | None, by: str) -> None:
    """Approve a feed as it is configured now; issues the customer's FTP log-in, shown once."""
    customer = context.customer(customer_id)
    chosen = choose_feed(customer, sample, feed)
    approved = approval.approve(context.store, context.settings, customer, chosen, sample, by, context.now)
    if approved.requeued:
        say(f"{len(approved.requeued)} waiting file(s) are in the queue; {context.who_works_on_it}")
    _show_issued(context, approved.issued, f"feed {chosen} of {customer_id} is approved")


@command("import")
@click.argument("customer_id", metavar="CUSTOMER")
@click.argument("file", type=_FILE, required=False)
@click.option("--starts-empty", is_flag=True, help="There is no earlier list to bring along.")
@_BY
def import_command(context: Context, customer_id: str, file: Path | None, starts_empty: bool, by: str) -> None:
    """Bring an existing list and its opt-outs at go-live (columns of `export`, and source, consent_date)."""
    customer = context.customer(customer_id)
    if starts_empty == (file is not None):
        raise UsageProblem("say either FILE or --starts-empty")
    if file is None:
        importing.starts_empty(context.store, customer, by, context.now)
        context.show({"customer": customer_id, "starts_empty": True}, f"the list of {customer_id} starts empty")
        return
    imported = wholelist.bring(context.store, customer, file, by, context.now)
    context.show(imported.as_dict(), lambda: _print_imported(imported))


@click.group("credentials")
def credentials_command() -> None:
    """Issue, revoke and list log-ins."""


@command("issue")
@click.argument("name", metavar="[CUSTOMER|NAME]", required=False)
@click.option(
    "--for", "kind", type=click.Choice(list(Kind)), default=Kind.ftp, show_default=True, help="What it opens."
)
@by_default("Who issues it; it is kept.")
def _issue(context: Context, name: str | None, kind: Kind, by: str) -> None:
    """Issue a new log-in of a CUSTOMER, of the operator NAME, or of the gateway (no name); shown once."""
    if (name is None) != (kind is Kind.gateway):
        wanted = {Kind.operator: "the operator's NAME", Kind.gateway: "no name"}.get(kind, "a CUSTOMER")
        raise UsageProblem(f"--for {kind}: expected {wanted}")
    credentials = Credentials(context.store)
    if name and kind is Kind.informz:
        issued = bulkrequest.issue_login(credentials, context.customer(name), by, context.now)
    else:
        customer = context.customer(name).id if name and kind.is_of_customer else PROVIDER
        issued = credentials.issue(customer, kind, by, context.now, name=name or "")
    if kind.is_token:
        text = f"a token of {issued.user} for {kind}\ntoken     {issued.password}\nThe token is shown this once only."
        context.show({"token": issued.password}, text)
    else:
        _show_issued(context, issued, f"a log-in of {name} for {kind}")


@command("revoke")
@click.argument("names", metavar="[CUSTOMER] USER", nargs=-1, required=True)
@by_default("Who revokes it; it is kept.")
def _revoke(context: Context, names: tuple[str, ...], by: str) -> None:
    """Revoke a log-in of a CUSTOMER, or an operator's or gateway's; FTP sessions already open go on."""
    if len(names) > 2:
        raise UsageProblem(f"expected [CUSTOMER] USER, not {len(names)} names")
    customer, user = names if len(names) == 2 else (PROVIDER, names[0])
    if not Credentials(context.existing_store).revoke(customer, user, by, context.now):
        whose = f"customer {customer} has" if customer else "the provider has"
        listed = f"alp-daemon credentials list {customer}".rstrip()
        raise NotFound(f"{whose} no live log-in {user!r}; see `{listed}`")
    context.show({"user": user, "revoked": True}, f"{user} is revoked")


@command("list")
@click.argument("customer_id", metavar="[CUSTOMER]", required=False, default=PROVIDER)
def _list(context: Context, customer_id: str) -> None:
    """List a customer's log-ins, or without one those of operators and gateways; passwords are not kept."""
    found = Credentials(context.existing_store).list(customer_id)
    if customer_id and not found:
        context.must_know(customer_id)
    data = [
        {
            "user": each.user,
            "kind": each.kind,
            "issued_at": each.issued_at.isoformat(),
            "issued_by": each.issued_by,
            "revoked_at": each.revoked_at and each.revoked_at.isoformat(),
            "revoked_by": each.revoked_by,
        }
        for each in found
    ]
    rows = [
        [
            each.user,
            each.kind,
            to_seconds(each.issued_at),
            each.issued_by,
            to_seconds(each.revoked_at),
            each.revoked_by or "",
        ]
        for each in found
    ]
    context.show(data, lambda: context.table(["user", "for", "issued", "by", "revoked", "by"], rows))


for _command in (_issue, _revoke, _list):
    credentials_command.add_command(_command)


@click.group("line-types")
def line_types_command() -> None:
    """Line types of numbers, loaded by the operator."""


@command("load")
@click.argument("file", type=_FILE)
@click.option("--empty", is_flag=True, help="Also where the file has no row: then no line type is known any more.")
def _load(context: Context, file: Path, empty: bool) -> None:
    """Replace the line types by a CSV of number or prefix, type."""
    loaded = line_types.load(context.store, file, may_be_empty=empty)
    context.show({"rows": loaded}, f"{loaded:,} line types are in force")


line_types_command.add_command(_load)


def _check_out(context: Context, file: Path, out: Path | None) -> None:
    if out == STDOUT and context.as_json:
        raise UsageProblem("--out - and --json would both write to stdout; name a file")
    with suppress(OSError):  # of what cannot be looked at, who writes and who reads will tell
        if out is not None and out.samefile(file):
            raise UsageProblem(f"--out {out} is the file that is previewed; name another")


def _send_link(context: Context, customer: Customer, feed: str, file: Path, by: str) -> None:
    source = Source(file, readable(file.name), Evidence.assumed)
    made = sheet.make(context.store, context.settings, customer, feed, source)
    expires_at = approval_link.send(context.store, context.settings, customer, made, by, context.now)
    recipients = ", ".join(customer.report_to)
    say(f"the daemon mails {recipients} a link to approve feed {feed} by; it is good until {expires_at:%Y-%m-%d}")


def _print_imported(imported: Imported) -> None:
    changes, rejects = imported.changes, imported.rejects
    click.echo(
        f"{imported.read:,} rows: {changes.opted_in:,} opted in, {changes.suspended:,} suspended,"
        f" {changes.opted_out:,} opted out, {changes.unsubscribed:,} unsubscribed, {changes.unchanged:,} unchanged,"
        f" {changes.blocked_opted_out:,} left opted out, {rejects.total:,} rejected"
    )
    # An opt-out that did not come along must not go unnoticed.
    for line in reporttext.refused_cells([each._asdict() for each in rejects.kept], rejects.total):
        click.echo(line)


def _show_issued(context: Context, issued: Issued | None, done: str) -> None:
    if issued is None:
        context.show({"user": None, "password": None}, f"{done}; its log-in stays as it is")
    else:
        context.show(
            {"user": issued.user, "password": issued.password},
            f"{done}\nuser      {issued.user}\npassword  {issued.password}\nThe password is shown this once only.",
        )
