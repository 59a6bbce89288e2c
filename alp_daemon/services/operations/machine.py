"""What is not as it should be where the daemon runs: itself and its settings, certificates, disk, folders."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from alp_daemon import certificates, ports
from alp_daemon.customers import Loaded
from alp_daemon.errors import AlpError, ConfigurationError
from alp_daemon.files import drop
from alp_daemon.files.bulkhead import Bulkhead, Hanging
from alp_daemon.files.objects import ASIDE
from alp_daemon.files.spool import open_spool
from alp_daemon.services.operations.finding import Finding
from alp_daemon.services.receiving import spoolmark
from alp_daemon.settings import Settings
from alp_daemon.store.store import Transaction

LOW_SPACE_BYTES = 1 << 30


def examine(transaction: Transaction, settings: Settings, loaded: Loaded, now: datetime) -> Iterator[Finding]:
    yield from _daemon(settings)
    yield from _certificates(settings, now)
    yield from _disk(settings)
    yield from _spool(transaction, settings)
    yield from _drop_folders(settings, loaded)


def outdated(settings: Settings) -> str | None:
    """What to do where ``alp.yaml`` is not what the daemon goes by, which reads it when it starts; else None."""
    running = ports.running(settings.data_dir)
    if running is None or not running.settings:
        return None
    changed = sorted(key for key, digest in settings.digests.items() if running.settings.get(key) != digest)
    if not changed:
        return None
    return (
        f"alp.yaml has changed in {', '.join(changed)} since the daemon (process {running.pid}) read it at"
        f" {running.read_at}, and a reload does not take that up: restart it (`systemctl restart alp-daemon`)"
    )


def _daemon(settings: Settings) -> Iterator[Finding]:
    running = ports.running(settings.data_dir)
    if running is None:
        yield Finding("warning", f"no daemon runs on {settings.data_dir}; start it with `alp-daemon serve`")
    else:
        yield Finding("info", f"the daemon runs as process {running.pid}, FTP on port {running.ports.get('ftp', '-')}")
    if told := outdated(settings):
        yield Finding("warning", told)
    if settings.ftp.tls is None:
        yield Finding(
            "info",
            "FTP is in clear text, passwords too, and a client that insists on TLS (`curl --ssl-reqd`) is refused; a"
            " certificate under `ftp: {tls: {certificate: …, key: …}}` in alp.yaml changes that",
        )


def _certificates(settings: Settings, now: datetime) -> Iterator[Finding]:
    for pair in certificates.pairs(settings):
        try:
            expiry = pair.judge(now)
        except ConfigurationError as error:
            yield Finding(
                "error",
                f"{error}. With these `serve` does not start, and one that runs goes on with those it has read. Correct"
                " the files or their permissions, then `alp-daemon reload`",
            )
        else:
            if expiry:
                yield Finding(expiry.severity, str(expiry))


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.data_dir if settings.data_dir.exists() else ".").free
    floor = settings.free_space_floor
    if free < max(floor, LOW_SPACE_BYTES):
        refused = "are" if free < floor else f"below {floor >> 20:,} MiB (free_space_floor) will be"
        yield Finding(
            "error", f"{settings.data_dir}: only {free >> 20:,} MiB are free; uploads {refused} refused (452)"
        )


def _spool(transaction: Transaction, settings: Settings) -> Iterator[Finding]:
    trouble = open_spool(settings).trouble()
    if trouble:
        yield Finding("error", f"the spool {settings.spool or settings.spool_dir} {trouble}; no file can be received")
    else:
        yield from _in_spool(transaction, settings)
    if settings.spool_bucket and settings.database_path:
        yield Finding(
            "warning",
            f"the spool is {settings.spool}, and the database a file of this node: no other node can work the files",
        )


def _drop_folders(settings: Settings, loaded: Loaded) -> Iterator[Finding]:
    bulkhead = Bulkhead()
    for customer in loaded.customers:
        home = settings.drop_dir / customer
        try:
            trouble = bulkhead.run(customer, partial(drop.trouble, home))
        except (Hanging, OSError) as error:
            yield Finding(
                "error",
                f"{customer}: {home} cannot be looked at ({error}): no file is picked up there, and no report is put"
                " there. Bring the mount back, or unmount it",
            )
            continue
        if trouble:
            yield Finding(
                "error",
                f"{customer}: {trouble}; its FTP log-ins are refused (451), and no file is picked up there. Make it a"
                " folder of the daemon's own user, or remove it: the daemon then makes it anew",
            )


def _in_spool(transaction: Transaction, settings: Settings) -> Iterator[Finding]:
    spool = open_spool(settings)
    try:
        told_foreign = spool.ownership.told_foreign(spoolmark.known(transaction))
        number = 0 if told_foreign else len(spool.aside())
    except AlpError:
        return  # what is wrong with the storage is said elsewhere
    if told_foreign:
        yield Finding("error", f"{told_foreign}. Until then no file is received")
    if number:
        yield Finding(
            "warning",
            f"{number} file(s) without a record lie in {settings.spool or settings.spool_dir}/{ASIDE}, and are erased"
            f" {settings.retention.days} days after they were put there. One or two are remains of a crash, which"
            " nobody was told of. More are what customers sent before somebody brought back an older database: take"
            " them up again with `alp-daemon process CUSTOMER FILE --feed FEED` (`uploads.csv` in data_dir/replaced-…"
            " says which was whose), or move each back to CUSTOMER/TOKEN under the newer database",
        )
