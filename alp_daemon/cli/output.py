"""What commands write to a name: files whole or not at all; pipes and devices as far as they take it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from stat import S_IMODE, S_ISDIR, S_ISREG
from typing import IO, Final

from alp_daemon.cli.arguments import name_of_user
from alp_daemon.errors import UsageProblem

STDOUT: Final = Path("-")


def write_whole(out: Path, write: Callable[[IO[str]], int]) -> int:
    """Puts what ``write`` writes under its name once it is complete; returns what ``write`` does.

    A link stays one: what it points to is written, with the owner and the permissions that it had. A pipe, a device
    and what this process has open (``/dev/stdout``, ``/dev/fd/3``) cannot be put in place whole, and are written to.

    Raises ``UsageProblem`` for what cannot be a file, ``OSError`` where none can be written.
    """
    if out == STDOUT:
        return write(sys.stdout)
    try:
        with _opened(out) as file:
            return write(file)
    except PermissionError as error:
        # Under sudo the shell's folder is somebody else's.
        told = f"{error.strerror} for user {name_of_user(os.geteuid())}; `--out - > {out}` has your shell write it"
        raise OSError(error.errno, told, str(out)) from error
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(out)) from error  # the name that somebody has typed


_open_text = partial(open, mode="w", encoding="utf-8", newline="")


def _opened(out: Path) -> AbstractContextManager[IO[str]]:
    was = _stat(out)
    if not out.name or (was and S_ISDIR(was.st_mode)):
        raise UsageProblem(f"--out {out}: expected the name of a file")
    descriptor = _open_already(out)
    if descriptor is not None:
        return _open_text(os.dup(descriptor))  # by its name it would be opened again, and written from its beginning
    if was and not S_ISREG(was.st_mode):
        return _open_text(out)
    return _replacing(out.resolve(), was)


def _stat(out: Path) -> os.stat_result | None:
    try:
        return out.stat()
    except FileNotFoundError:
        return None


def _open_already(out: Path) -> int | None:
    """The descriptor of this process that a name stands for, through whatever links."""
    opened = Path(f"/proc/{os.getpid()}/fd")
    while True:
        folder = out.parent.resolve()
        if folder == opened and out.name.isdecimal():
            return int(out.name)
        if not out.is_symlink():
            return None
        out = folder / out.readlink()


@contextmanager
def _replacing(target: Path, was: os.stat_result | None) -> Iterator[IO[str]]:
    part = target.with_name(f".{target.name}.part")
    try:
        with _open_text(part) as file:
            if was:
                _make_like(file.fileno(), was)
            yield file
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink()


def _make_like(descriptor: int, was: os.stat_result) -> None:
    with suppress(PermissionError):  # only root gives files away
        os.fchown(descriptor, was.st_uid, was.st_gid)
    os.fchmod(descriptor, S_IMODE(was.st_mode))
