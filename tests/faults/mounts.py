"""File systems of their own, to be filled, forbidden and cut off, and addresses. Only root may make them."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Network
from pathlib import Path

from tests.eventually import eventually
from tests.faults.campaign import Skipped

# _IOR('X', 125, __u32) of linux/fs/ext4/ext4.h, and its flag that leaves the journal's last entries unwritten.
_EXT4_IOC_SHUTDOWN = 0x8004587D
_NOLOGFLUSH = 2


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of so many megabytes at ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def forbidden(folder: Path) -> Iterator[None]:
    """The file system at ``folder`` takes no writes for a while."""
    _run("mount", "-o", "remount,ro", str(folder))
    try:
        yield
    finally:
        _run("mount", "-o", "remount,rw", str(folder))


@contextmanager
def own_network() -> Iterator[IPv6Network]:
    """Addresses of which all are this machine's own. Ours alone (RFC 4193), and never routed."""
    network = IPv6Network(f"fd5e:7a11:{os.getpid() % 2**16:x}::/48")
    _run("ip", "route", "replace", "local", str(network), "dev", "lo")
    try:
        yield network
    finally:
        subprocess.run(["ip", "route", "del", "local", str(network), "dev", "lo"], check=True)


class Disk:
    """An ext4 disk in a file, whose power can be cut: what was not yet written is lost, in whatever order."""

    def __init__(self, image: Path, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._image = image
        folder.mkdir(parents=True, exist_ok=True)
        with image.open("wb") as file:
            file.truncate(megabytes * 2**20)
        _run("mkfs.ext4", "-q", str(image))

    @contextmanager
    def mounted(self) -> Iterator[None]:
        _run("mount", "-o", "loop", str(self._image), str(self.folder))
        try:
            yield
        finally:
            # Workers end a moment after the daemon that was killed, and have their files open until then.
            eventually(lambda: subprocess.run(["umount", self.folder], capture_output=True).returncode == 0)

    def cut_power(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _EXT4_IOC_SHUTDOWN, struct.pack("I", _NOLOGFLUSH))
        finally:
            os.close(descriptor)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Skipped(f"no {command[0]} here") from error
    if done.returncode:
        raise Skipped(f"{' '.join(command[:4])}: {done.stderr.strip()} (needs root)")
