"""Connections that end at a random byte in every way that TCP knows, and what the daemon is left with after them."""

from __future__ import annotations

import ftplib
import io
import random
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.faults.campaign import Tally
from tests.faults.installation import BODY, Door, Installation, short_ones_applied

Chance = random.Random
_CONTENT = BODY[:200_021].encode()
_CONTENT = _CONTENT[: _CONTENT.rindex(b"\n") + 1]
_WAIT = 20


def _fin(ftp: ftplib.FTP, data: socket.socket, chance: Chance) -> None:
    """The process is gone: its kernel closes both connections, one right after the other."""
    data.close()
    _moment(chance)
    ftp.close()


def _reset_both(ftp: ftplib.FTP, data: socket.socket, chance: Chance) -> None:
    reset(data)
    _moment(chance)
    assert ftp.sock is not None
    reset(ftp.sock)
    ftp.close()


def _reset_data(ftp: ftplib.FTP, data: socket.socket, chance: Chance) -> None:
    """Only the data connection breaks off. The client goes on, and is told that its file is not whole."""
    reset(data)
    with suppress(ftplib.Error):
        ftp.voidresp()
    ftp.quit()


def _abort(ftp: ftplib.FTP, data: socket.socket, chance: Chance) -> None:
    with suppress(ftplib.Error, EOFError, OSError):
        ftp.abort()
    data.close()
    ftp.close()


def _half_close(ftp: ftplib.FTP, data: socket.socket, chance: Chance) -> None:
    """The client says that it is done sending, and is lost before anybody can tell it that its file has come."""
    with suppress(OSError):
        socket.socket.shutdown(data, socket.SHUT_WR)
    ftp.close()
    _moment(chance)
    data.close()


def _control_lost(ftp: ftplib.FTP, data: socket.socket, chance: Chance) -> None:
    if chance.random() < 0.5:
        assert ftp.sock is not None
        reset(ftp.sock)
    ftp.close()
    _moment(chance)
    data.close()


def _stall(ftp: ftplib.FTP, data: socket.socket, chance: Chance) -> None:
    """The data connection outlives the control connection, and then says nothing any more."""
    ftp.close()
    time.sleep(0.05)
    reset(data)


ENDS: tuple[Callable[[ftplib.FTP, socket.socket, Chance], None], ...] = (
    _fin,
    _reset_both,
    _reset_data,
    _abort,
    _half_close,
    _control_lost,
    _stall,
)


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """``rounds`` broken uploads, every other one over TLS, and a fifth as many whole ones."""
    tally, chance = Tally(), Chance(seed)
    installation = Installation(folder)
    installation.approve()
    broken = []
    with installation.running() as door:
        whole = [_send(door, f"members-first-{number}.csv", tls=number % 2 == 1) for number in range(4)]
        installation.at_rest()
        descriptors = door.descriptors()
        for number in range(rounds):
            end, tls = chance.choice(ENDS), number % 2 == 1
            name = f"members-{end.__name__.strip('_')}{'-tls' if tls else ''}-{number}.csv"
            broken.append(name)
            break_off(door, name, end, chance, tls=tls)
            tally.rounds += 1
            if number % 5 == 0:
                whole.append(_send(door, f"members-whole-{number}.csv", tls=chance.random() < 0.5))
        uploads = installation.at_rest()
        door.assert_quiet(tally, descriptors)
    sizes = dict.fromkeys([*broken, *whole], len(_CONTENT))
    states = {row["name"]: row["state"] for row in uploads}
    tally.faults += [f"applied though short: {name}" for name in short_ones_applied(uploads, sizes)]
    tally.faults += [f"whole, and {states.get(name)}: {name}" for name in whole if states.get(name) != "applied"]
    tally.counted.update(f"broken off: {states.get(name, 'nothing kept')}" for name in broken)
    tally.counted["whole: applied"] = sum(states.get(name) == "applied" for name in whole)
    installation.sound(tally)
    return tally


def break_off(
    door: Door,
    name: str,
    end: Callable[[ftplib.FTP, socket.socket, Chance], None],
    chance: Chance,
    *,
    tls: bool,
) -> None:
    """One upload that gets no further than to some byte."""
    ftp = entered(door, tls=tls)
    data = ftp.transfercmd(f"STOR {name}")
    data.sendall(_CONTENT[: chance.randrange(len(_CONTENT))])
    _moment(chance)
    end(ftp, data, chance)


def _send(door: Door, name: str, *, tls: bool) -> str:
    ftp = entered(door, tls=tls)
    ftp.storbinary(f"STOR {name}", io.BytesIO(_CONTENT))
    ftp.quit()
    return name


def entered(door: Door, *, tls: bool) -> ftplib.FTP:
    context = ssl.create_default_context(cafile=str(door.authority)) if tls else None
    ftp = ftplib.FTP_TLS(context=context, timeout=_WAIT) if tls else ftplib.FTP(timeout=_WAIT)
    ftp.connect("127.0.0.1", door.server.port)
    ftp.login(door.login.user, door.login.password)
    if isinstance(ftp, ftplib.FTP_TLS):
        ftp.prot_p()
    return ftp


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _moment(chance: Chance) -> None:
    """Mostly none at all."""
    if chance.random() < 0.3:
        time.sleep(chance.uniform(0, 0.01))
