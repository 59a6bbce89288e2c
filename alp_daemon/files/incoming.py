"""A file on its way in: hidden, and of no worth until the spool has made an object of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from alp_daemon.files.disk import disk_errors, ensure_room
from alp_daemon.files.objects import Kept

# Looking takes a microsecond; so many bytes may get under the floor.
_LOOK_EVERY = 2**23


@dataclass(eq=False, slots=True)
class Incoming:
    """A file that is being received. ``write`` to it, then hand it to the intake or ``abort`` it."""

    customer: str
    file: BinaryIO
    path: Path
    floor: int = 0
    """So many bytes of the disk are to stay free."""
    kept: Kept | None = None
    """The object that it has become already."""
    _since_look: int = 0

    def write(self, piece: bytes) -> None:
        """Raises :class:`NoRoom` where the disk is full, or no more than its ``floor`` is free."""
        with disk_errors("cannot keep a received file"):
            self.file.write(piece)
        self._since_look += len(piece)
        if self._since_look >= _LOOK_EVERY:
            self._since_look = 0
            ensure_room(self.path.parent, self.floor)

    def abort(self) -> None:
        """Forgets it. May be called at any time and more than once."""
        self.path.unlink(missing_ok=True)
        # What is still in the buffer may not fit on the disk; nobody needs it any more.
        with suppress(OSError):
            self.file.close()


Retouch = Callable[[Incoming], None]
