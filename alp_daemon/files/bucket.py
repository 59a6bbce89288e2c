"""Objects as entries of a bucket that speaks the S3 protocol. How one is reached: ``s3client.py``."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from functools import cache
from io import FileIO
from pathlib import Path
from threading import BoundedSemaphore
from typing import BinaryIO

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from alp_daemon import log
from alp_daemon.files import s3client
from alp_daemon.files.disk import disk_errors, make_folder
from alp_daemon.files.objects import (
    ASIDE,
    MARK,
    Kept,
    ObjectLost,
    Recorded,
    StorageAway,
    aside,
    damaged,
    lost,
    owner_of,
    strays,
)
from alp_daemon.files.s3client import connected, said

# The library says FileNotFoundError of a bucket or an object that is not there.
_FAILED = (BaseError, FileNotFoundError)

# Larger files go up in parts of this size; with 10,000 parts at the most.
_PART = 5 * 2**20
# So many large files at once, and parts of each: 40 MiB of memory, and of what an uplink brings within its patience.
_LARGE_AT_ONCE = 4
_PARTS_AT_ONCE = 2
# A slow uplink brings so much, also side by side, long before anybody takes a storage for silent.
_SMALL = 2**16
_PAGE = 1000
_CLOCK = ".clock"
_NOWHERE = ".nowhere"
# What some storages say of a request to make an object only where there is none.
_NO_CONDITIONS = "501 Not Implemented"


@cache
def open_bucket(bucket: str, prefix: str, room: Path) -> Bucket:
    """The same one each time, so that its connections are kept. ``room``: the node's folder to fetch files to."""
    return Bucket(bucket, prefix, room)


class Bucket:
    """Objects below a prefix of a bucket. What is answered for there is durable; see the provider's own promise."""

    shared = True
    # Each waits for the network and not for a processor.
    side_by_side = 8
    few = 2

    def __init__(self, bucket: str, prefix: str, room: Path) -> None:
        self._name = s3client.name(bucket, prefix)
        self._room = room
        self._store = connected(bucket, prefix, s3client.PATIENCE)
        self._uplink = connected(bucket, prefix, s3client.while_sending())
        self._large = BoundedSemaphore(_LARGE_AT_ONCE)
        self._probe = connected(bucket, prefix, s3client.NO_PATIENCE)

    def owner(self, claimant: str | None) -> str | None:
        with self._errors("does not say whose it is"):
            return owner_of(self._mark, self._leave, claimant)

    def _mark(self) -> str | None:
        try:
            return bytes(obstore.get(self._store, MARK).bytes()).decode("ascii", "replace")
        except FileNotFoundError as error:
            if _lacks_bucket(error):
                raise
            return None

    def _leave(self, mark: str) -> None:
        try:
            obstore.put(self._store, MARK, mark.encode(), mode="create")
        except AlreadyExistsError:
            pass  # somebody else was first
        except BaseError as error:
            if _NO_CONDITIONS not in str(error):
                raise
            # There nobody can be first for sure. That nothing was there a moment ago must do.
            obstore.put(self._store, MARK, mark.encode())

    def prepare(self, customer: str) -> None:
        """A bucket has no folders."""

    def path(self, name: str) -> None:  # noqa: ARG002  an object of a bucket is no file
        return None

    def put(self, file: Path, name: str) -> Kept:
        digest = hashlib.sha256()
        with disk_errors("cannot keep a received file"), file.open("rb", buffering=0) as source:
            size = os.fstat(source.fileno()).st_size
            content = _pieces(source, digest) if size > _PART else b"".join(_pieces(source, digest))
            with self._errors("takes no files"), nullcontext() if size <= _SMALL else self._large:
                store = self._store if size <= _SMALL else self._uplink
                obstore.put(store, name, content, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)
        return Kept(name, size, digest.hexdigest())

    def sync(self, customer: str) -> None:
        """An object is durable with its name."""

    @contextmanager
    def local(self, kept: Kept) -> Iterator[Path]:
        with disk_errors("cannot fetch a file from the spool"):
            make_folder(self._room)
            # It has no name: however this process ends, the kernel takes it away.
            file = tempfile.TemporaryFile(dir=self._room)  # noqa: SIM115  closed below, where the context ends
        with file:
            with disk_errors("cannot fetch a file from the spool"):
                self._fetch(kept, file)
                file.flush()
            # Not "self": spreadsheets are read by a child process.
            yield Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")

    def size(self, name: str) -> int | None:
        with self._errors("does not answer"):
            try:
                return int(obstore.head(self._store, name)["size"])
            except FileNotFoundError:
                return None

    def remove(self, names: Collection[str]) -> None:
        if names:
            with self._errors("removes nothing"):
                obstore.delete(self._store, list(names))

    def clean(self, recorded: Recorded) -> list[str]:
        with self._errors("cannot be listed"):
            found = strays(self._listed(), self._clock(), recorded)
        return [name for name in found if self._put_aside(name)]

    def aside(self, kept_for: timedelta = timedelta(0)) -> list[str]:
        with self._errors("cannot be listed"):
            found = list(self._listed(ASIDE))
            now = self._clock() if kept_for else None
        return sorted(name for name, moved_at in found if now is None or now - moved_at >= kept_for)

    def _put_aside(self, name: str) -> bool:
        try:
            obstore.rename(self._store, name, aside(name))
        except _FAILED as error:
            # Another node was first; or it is larger than a storage copies in one request, and stays where it is.
            log.warning("stray_not_put_aside", object=name, error=said(error))
            return False
        return True

    def trouble(self) -> str | None:
        try:
            obstore.list(self._probe, _NOWHERE).collect()
        except _FAILED:
            return "does not answer"
        return None

    def _fetch(self, kept: Kept, file: BinaryIO) -> None:
        digest, received = hashlib.sha256(), 0
        with self._errors("gives no files"):
            try:
                response = obstore.get(self._store, kept.object)
            except FileNotFoundError as error:
                if _lacks_bucket(error):
                    raise
                raise lost() from error
            if response.meta["size"] != kept.size:
                raise damaged(kept, response.meta["size"])
            for piece in response.stream(_PART):
                file.write(piece)
                digest.update(piece)
                received += len(piece)
        if received != kept.size:
            log.warning("storage_away", spool=self._name, what=f"gave {received:,} of {kept.size:,} bytes")
            raise StorageAway
        if kept.sha256 not in (None, digest.hexdigest()):
            raise ObjectLost("its file in the spool is not the one that was received (its SHA-256 differs)")

    def _listed(self, below: str | None = None) -> Iterator[tuple[str, datetime]]:
        for page in obstore.list(self._store, below, chunk_size=_PAGE):
            for each in page:
                yield each["path"], each["last_modified"]

    def _clock(self) -> datetime:
        """The time by the clock that dates the objects."""
        obstore.put(self._store, _CLOCK, b"now")
        return obstore.head(self._store, _CLOCK)["last_modified"]

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """All but a missing object may pass: credentials are renewed, a bucket is opened, a network is mended."""
        try:
            yield
        except _FAILED as error:
            log.warning("storage_away", spool=self._name, what=what, error=said(error))
            raise StorageAway from error


def _pieces(source: FileIO, digest: hashlib._Hash) -> Iterator[bytes]:
    while piece := source.read(_PART):
        digest.update(piece)
        yield piece


def _lacks_bucket(error: FileNotFoundError) -> bool:
    return "NoSuchBucket" in str(error)
