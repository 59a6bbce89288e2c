"""Files that commands write: whole under their names, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from alp_daemon.errors import Refused, UsageProblem


def write_whole(out: Path, write: Callable[[IO[str]], int], *, anew: bool = False) -> int:
    """Puts what ``write`` writes under its name once it is complete; returns what ``write`` does.

    ``anew``: there is no such file yet. Raises ``Refused`` where there is, ``UsageProblem`` for what cannot be a file,
    ``OSError`` where none can be written.
    """
    if not out.name or (out.exists() and not out.is_file()):
        raise UsageProblem(f"--out {out}: expected the name of a file")
    if anew and out.exists():
        raise Refused(f"{out} exists already; name another file, or remove this one")
    part = out.with_name(f".{out.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            done = write(file)
        part.replace(out)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(out)) from error  # the name that somebody has typed
    finally:
        with suppress(OSError):
            part.unlink()
    return done
