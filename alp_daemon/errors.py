"""Every error a person may read, with the exit code the command line gives it.

The codes are those of BSD's ``sysexits.h``, so that a scheduler can tell "try again" from "do not resend".
A message says what, where, what was expected and what to do; it never holds a full number or a secret.
"""

from __future__ import annotations

from typing import ClassVar


class AlpError(Exception):
    """An error with a message for a person."""

    exit_code: ClassVar[int] = 70


class UsageProblem(AlpError):
    """The command was called wrongly (EX_USAGE).

    ``typed`` is the message for the terminal that the arguments were typed at: it shows what is wrong with them, and
    masks no more than full numbers, since a scheduler mails on what a terminal would show.
    """

    exit_code = 64

    def __init__(self, message: str, *, typed: str = "") -> None:
        super().__init__(message)
        self.typed = typed or message


class UnusableFile(AlpError):
    """The whole file is refused and nothing was changed (EX_DATAERR). ``code`` is the stable reason."""

    exit_code = 65

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotFound(AlpError):
    """There is no such customer, upload, file or number (EX_NOINPUT)."""

    exit_code = 66


class Unavailable(AlpError):
    """Something this needs is not there: a port, a folder, a server (EX_UNAVAILABLE)."""

    exit_code = 69


class TryAgain(AlpError):
    """A passing condition, such as a locked database or a full disk (EX_TEMPFAIL)."""

    exit_code = 75


class OutcomeUnknown(TryAgain):
    """The connection was lost on the way to a commit or back: all of it is kept, or nothing."""


class Busy(TryAgain):
    """Others have been writing to the database for as long as anybody may be kept waiting."""


class NoRoom(TryAgain):
    """The disk is full, or as full as it may become."""


class Refused(AlpError):
    """A rule forbids it (EX_NOPERM)."""

    exit_code = 77


class ConfigurationError(AlpError):
    """The configuration is wrong; the message lists every problem at once (EX_CONFIG)."""

    exit_code = 78


# Not an error: the file is safe and waits for a person. Resending it would only hold it again.
HELD_EXIT_CODE = 79

# As a shell says of a command that Ctrl-C has ended: 128 and the number of SIGINT.
INTERRUPTED_EXIT_CODE = 130
