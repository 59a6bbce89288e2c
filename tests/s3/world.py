"""The intake's world with its spool in shared storage."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from alp_daemon.files.objects import MARK
from tests.intake import world

OURS = (".clock", MARK)
"""What lies in the storage beside the files."""


class Storage(Protocol):
    """What another client sees of the shared storage."""

    def names(self) -> list[str]: ...

    def read(self, name: str) -> bytes: ...

    def put(self, name: str, content: bytes) -> None: ...

    def remove(self, name: str) -> None: ...


@dataclass
class World(world.World):
    storage: Storage = field(kw_only=True)

    def content(self, upload: int) -> bytes:
        return self.storage.read(self.row(upload)["object"])

    def spooled(self) -> list[str]:
        incoming = self.settings.data_dir / "incoming"
        parts = [path.name for path in incoming.iterdir()] if incoming.exists() else []
        return [*self.storage.names(), *parts]


def build(folder: Path, spool: str, storage: Storage) -> World:
    plain = world.build(folder)
    settings = plain.settings.model_copy(update={"spool": spool})
    built = World(settings, plain.registry, plain.store, storage=storage)
    built.intake.claim_spool()  # as a daemon does at its start
    return built


@dataclass
class BucketStorage:
    bucket: Any
    prefix: str

    def names(self) -> list[str]:
        found = [each.key.removeprefix(f"{self.prefix}/") for each in self.bucket.objects.filter(Prefix=self.prefix)]
        return [name for name in found if name not in OURS]

    def read(self, name: str) -> bytes:
        return self.bucket.Object(f"{self.prefix}/{name}").get()["Body"].read()

    def put(self, name: str, content: bytes) -> None:
        self.bucket.put_object(Key=f"{self.prefix}/{name}", Body=content)

    def remove(self, name: str) -> None:
        self.bucket.Object(f"{self.prefix}/{name}").delete()


@dataclass
class FolderStorage:
    folder: Path

    def names(self) -> list[str]:
        found = [path for path in self.folder.rglob("*") if path.is_file() and path.name not in OURS]
        return [str(path.relative_to(self.folder)) for path in found]

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(content)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()
