"""A held file as somebody sees it who has to decide about it: what it would do to the list as it stands now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from alp_daemon.customers import Customer
from alp_daemon.domain.guard import cures_of, needs_though_cut
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import NotFound, TryAgain
from alp_daemon.files import container
from alp_daemon.files.objects import Kept, ObjectLost
from alp_daemon.files.spool import open_spool
from alp_daemon.services.decisions.effect import Effect, effect_of
from alp_daemon.services.processing import line_types
from alp_daemon.services.processing.assess import assess
from alp_daemon.services.processing.rules import rules_of_file
from alp_daemon.services.processing.source import Source, read_source
from alp_daemon.services.receiving.place import feed_of
from alp_daemon.services.reports.report import Report
from alp_daemon.settings import Settings
from alp_daemon.store import uploads
from alp_daemon.store.store import Store
from alp_daemon.store.uploads import Upload


def record(store: Store, upload: int) -> Upload:
    """The upload as it stands. Raises ``NotFound``."""
    with store.read() as transaction:
        return uploads.get(transaction, upload)


@contextmanager
def source_of(settings: Settings, upload: Upload) -> Iterator[Source]:
    """An upload's file as it was received, for as long as the context lasts.

    Raises ``NotFound`` once it is erased, and ``TryAgain`` while the storage it lies in is away.
    """
    if upload.erased_at is not None:
        raise NotFound(f"the file of upload {upload.id} is not kept any more; ask for it again")
    try:
        with open_spool(settings).local(Kept(upload.object, upload.size, upload.sha256)) as path:
            yield Source(path, upload.name, upload.evidence or Evidence.assumed, upload.evidence_note)
    except ObjectLost as error:
        raise NotFound(f"upload {upload.id}: {error}") from error


def is_larger(settings: Settings, upload: Upload, most: int) -> bool:
    """Whether an upload's file has more than so many bytes when unpacked. One that cannot be had is not large."""
    if upload.size > most:
        return True
    try:
        with source_of(settings, upload) as source:
            return container.is_larger(source.path, most)
    except (NotFound, TryAgain):
        return False


def effect(store: Store, settings: Settings, customer: Customer, upload: Upload) -> Effect:
    """What applying the upload now would do. Reads the whole file, so it takes what a dry run takes.

    Raises ``UnusableFile`` where it cannot be read, and ``NotFound`` as ``source_of``.
    """
    feed = feed_of(customer, upload)
    with source_of(settings, upload) as source:
        rules = rules_of_file(store, customer, feed, source.path, upload.name)
        reading = read_source(source, customer, rules, line_types.in_force(store, settings, customer))
        with store.read() as transaction:
            return effect_of(assess(transaction, reading, source, rules))


@dataclass(frozen=True, slots=True)
class Ways:
    """What can be done about an upload."""

    release: bool
    though_cut: bool
    """A release has to say that the file has been seen to be whole."""
    discard: bool
    undo: bool
    cures: tuple[str, ...]
    """What a release cannot cure, and what does."""


def ways_out(upload: Upload, report: Report) -> Ways:
    codes = [each["code"] for each in report["hold"]] if upload.state == "held" else []
    cures = cures_of(codes)
    waits = upload.state in ("held", "failed")
    return Ways(
        release=waits and not cures and upload.erased_at is None,
        though_cut=needs_though_cut(codes),
        discard=upload.state in ("held", "received"),
        undo=upload.state == "applied" and upload.undone_at is None,
        cures=cures,
    )
