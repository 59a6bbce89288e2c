"""What the machine can do: a bare socket that writes what it is sent, makes it durable, and says so.

``python sink.py FILE`` prints its port and takes one file.
"""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

_AT_ONCE = 2**20


def send(source: Path, target: Path) -> float:
    """Seconds from the first byte to the word that the file is durable."""
    with subprocess.Popen([sys.executable, __file__, str(target)], stdout=subprocess.PIPE) as sink:
        assert sink.stdout is not None
        port = int(sink.stdout.readline())
        with source.open("rb") as file, socket.create_connection(("127.0.0.1", port)) as connection:
            began = time.perf_counter()
            while chunk := file.read(_AT_ONCE):
                connection.sendall(chunk)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b"."
            seconds = time.perf_counter() - began
    target.unlink()
    return seconds


def keep(content: bytes, files: int, folder: Path) -> float:
    """Seconds to make small files durable one after the other, each with a row of its own; nothing is sent.

    As durable as a 226 says: write, fsync, rename, fsync the folder, commit.
    """
    folder.mkdir()
    names = os.open(folder, os.O_RDONLY)
    with closing(sqlite3.connect(folder / "records.db", isolation_level=None)) as database:
        database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE records (name);")
        began = time.perf_counter()
        for number in range(files):
            part = folder / f"{number}.part"
            with part.open("wb", buffering=0) as file:
                file.write(content)
                os.fsync(file.fileno())
            part.rename(folder / str(number))
            os.fsync(names)
            database.execute("INSERT INTO records VALUES (?)", (str(number),))
        seconds = time.perf_counter() - began
    os.close(names)
    shutil.rmtree(folder)
    return seconds


def take(target: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
    buffer = memoryview(bytearray(_AT_ONCE))
    with connection, Path(target).open("wb", buffering=0) as file:
        while size := connection.recv_into(buffer):
            file.write(buffer[:size])
        os.fsync(file.fileno())
        connection.sendall(b".")


if __name__ == "__main__":
    take(sys.argv[1])
