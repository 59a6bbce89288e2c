"""Which ``alp.yaml`` a command goes by."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from alp_daemon.errors import ConfigurationError

_HERE: Final = Path("configs/alp.yaml")
_INSTALLED: Final = Path("/etc/alp-daemon/alp.yaml")


def find(given: Path | None) -> Path:
    """The file of ``--config`` (``given``) or ``ALP_CONFIG``, else that of the working folder, else the installed one.

    What cannot be read counts as absent: nobody has named it. That of the working folder is told of on stderr, since
    whoever happens to stand in a checkout may mean the installed one. Raises ``ConfigurationError``.
    """
    named = given or (Path(os.environ["ALP_CONFIG"]) if os.environ.get("ALP_CONFIG") else None)
    if named is not None:
        if not _can_be_read(named):
            raise ConfigurationError(f"{named}: there is no such file to read (given by --config or ALP_CONFIG)")
        return named
    if _can_be_read(_HERE):
        click.echo(f"alp-daemon: by {_HERE.absolute()}; --config or ALP_CONFIG names another", err=True)
        return _HERE
    if _can_be_read(_INSTALLED):
        return _INSTALLED
    raise ConfigurationError(
        f"no configuration: neither {_HERE} nor {_INSTALLED} can be read; say --config FILE or set ALP_CONFIG"
        " (an empty file works)"
    )


def _can_be_read(path: Path) -> bool:
    try:
        return path.is_file() and os.access(path, os.R_OK)
    except OSError:
        return False
