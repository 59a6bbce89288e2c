"""Files beneath a folder that other programs may write to, such as a customer's.

Whoever may write there may put a link, a pipe or a device where a folder or a file is expected. So a folder is opened
first, and never through a link; what lies in it is then named relative to the open folder, and no change of the path
meanwhile leads elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without waiting: a pipe would keep whoever opens it until somebody writes to it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def opened(home: Path, folder: str = "") -> Iterator[int]:
    """A descriptor of the folder of this name in ``home``, or of ``home`` itself.

    The operator may have put a link in the place of ``home``; ``folder`` must be a real one. Raises ``OSError``:
    :class:`NotADirectoryError` where it is not, :class:`FileNotFoundError` where nothing is there.
    """
    descriptor = _open_folder(home, folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def files(home: Path, folder: str = "") -> Iterator[os.DirEntry[str]]:
    """The regular files in a folder; none where it is missing. Raises as :func:`opened` does.

    An entry may be asked for its status until the next one is taken.
    """
    try:
        descriptor = _open_folder(home, folder)
    except FileNotFoundError:
        return
    try:
        with os.scandir(descriptor) as entries:
            yield from (entry for entry in entries if entry.is_file(follow_symlinks=False))
    finally:
        os.close(descriptor)


def open_file(folder: int, name: str) -> FileIO:
    """Opens a regular file to be read. Raises ``OSError``: ``ELOOP`` for a link, ``EINVAL`` or ``ENXIO`` for others."""
    descriptor = os.open(name, _FILE, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "Not a regular file", name)
    return FileIO(descriptor)


def put(folder: int, name: str, content: bytes, modified_ns: int) -> None:
    """Writes a file, whole or not at all; it is not synced. Two who put the same name must exclude each other."""
    temporary = f".{name}.part"
    with suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)
    with os.fdopen(os.open(temporary, _NEW, 0o640, dir_fd=folder), "wb") as file:
        file.write(content)
        file.flush()  # what is written later would be the file's time
        os.utime(file.fileno(), ns=(modified_ns, modified_ns))
    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)


def _open_folder(home: Path, folder: str) -> int:
    top = os.open(home, _FOLDER)
    if not folder:
        return top
    try:
        return os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=top)
    except OSError as error:
        # Which of the two a link gives depends on the file system.
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise NotADirectoryError(errno.ENOTDIR, f"{folder} is a link or a file, not a folder", str(home)) from error
        raise
    finally:
        os.close(top)
