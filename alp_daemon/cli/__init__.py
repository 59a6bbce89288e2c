"""The ``alp-daemon`` command: arguments → one service → exit code. Each group of commands has a module."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

import click

from alp_daemon import __version__, log
from alp_daemon.errors import INTERRUPTED_EXIT_CODE, AlpError, TryAgain, Unavailable, UsageProblem

# Said before these libraries are loaded, here and in the processes that this one starts. Nothing here multiplies
# matrices, and the idle threads that numpy would keep for that spin for a while. Pydantic would look through every
# installed distribution for plugins of its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

# Loaded when called: `process` must not pay for importing the FTP server.
_COMMANDS = {
    "service": ("serve", "demo", "check-config", "reload", "doctor", "schema"),
    "setup": ("new-customer", "preview", "approve", "import", "credentials", "line-types"),
    "customers": ("customers",),
    "uploads": ("process", "uploads", "show", "release", "discard", "undo"),
    "numbers": ("opt-in", "opt-out", "suspend", "reactivate", "status", "number", "export", "usage"),
    "messages": ("message", "messages"),
    "subscribers": ("interests", "subscriber", "unsubscribe"),
    "lockouts": ("lockouts", "unlock"),
    "database": ("migrate", "copy-database"),
    "safekeeping": ("verify", "backup", "restore"),
}
_MODULES = {command: module for module, commands in _COMMANDS.items() for command in commands}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _MODULES:
            return None
        module = import_module(f"alp_daemon.cli.{_MODULES[cmd_name]}")
        found: click.Command = getattr(module, cmd_name.replace("-", "_") + "_command")
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="alp-daemon")
def cli() -> None:
    """Keeps customers' opt-in lists the way their files say."""


def main(arguments: Sequence[str] | None = None) -> None:
    # Lists, reports and mail hold full numbers: what is made is not for other users, under systemd or without it.
    os.umask(os.umask(0o077) | 0o027)
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; what went wrong is on stderr."""
    try:
        result = cli.main(arguments, prog_name="alp-daemon", standalone_mode=False)
        _write_out()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return UsageProblem.exit_code
    except click.ClickException as error:
        error.show()
        return UsageProblem.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED_EXIT_CODE
    except UsageProblem as error:
        click.echo(f"alp-daemon: {error.typed}", err=True)
        return error.exit_code
    except AlpError as error:
        click.echo(f"alp-daemon: {error}", err=True)
        return error.exit_code
    except SystemExit:
        # How click says that the reader of our output (`| head`) has seen enough.
        return 0
    except BrokenPipeError:
        return 0  # likewise, of the last lines
    except OSError as error:
        with suppress(OSError):
            _write_out()
        click.echo(f"alp-daemon: {error.filename or 'the system'}: {error.strerror}", err=True)
        return (TryAgain if error.errno == errno.ENOSPC else Unavailable).exit_code
    except Exception as error:  # noqa: BLE001  the last net: a scheduler gets the code that stands for it
        log.error("command_failed", exc_info=error)
        told = f"an error of this program ({type(error).__name__}); what is known of it stands above"
        click.echo(f"alp-daemon: {told}", err=True)
        return AlpError.exit_code
    return result if isinstance(result, int) else 0


def _write_out() -> None:
    """Writes what stdout still keeps. Raises ``OSError`` where nobody takes it, or its disk is full.

    Python would try once more at its end, print a traceback, and exit with a code of its own (120).
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
