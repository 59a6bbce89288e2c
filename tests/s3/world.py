"""The intake's world with its spool in shared storage."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.intake import world


class Storage(Protocol):
    """What another client sees of the shared storage."""

    def names(self) -> list[str]: ...

    def read(self, name: str) -> bytes: ...

    def put(self, name: str, content: bytes) -> None: ...


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
    return World(settings, plain.registry, plain.store, storage=storage)


@dataclass
class BucketStorage:
    bucket: Any
    prefix: str

    def names(self) -> list[str]:
        found = [each.key.removeprefix(f"{self.prefix}/") for each in self.bucket.objects.filter(Prefix=self.prefix)]
        return [name for name in found if name != ".clock"]

    def read(self, name: str) -> bytes:
        return self.bucket.Object(f"{self.prefix}/{name}").get()["Body"].read()

    def put(self, name: str, content: bytes) -> None:
        self.bucket.put_object(Key=f"{self.prefix}/{name}", Body=content)


@dataclass
class FolderStorage:
    folder: Path

    def names(self) -> list[str]:
        found = [path for path in self.folder.rglob("*") if path.is_file() and path.name != ".clock"]
        return [str(path.relative_to(self.folder)) for path in found]

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(content)
