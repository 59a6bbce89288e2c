"""PostgreSQL's own errors in the project's words, and its address without the password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict

from alp_daemon.errors import AlpError, Busy, TryAgain, Unavailable

# https://www.postgresql.org/docs/15/errcodes-appendix.html: the classes of conditions that pass. 08 the connection,
# 40 a deadlock, 53 no disk, memory or connection left, 55P03 a lock that was not free in time, 57 stopped by a person.
_PASSING = ("08", "40", "53", "55P03", "57")
# The refusals of a server that is about to be there: PostgreSQL does not number them when it refuses a connection.
_COMING = ("starting up", "shutting down", "recovery", "too many", "connection slots", "accepting connections")


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Raises what says what to do. ``name``: the database, as :func:`shown` gives it."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise _explained(name, error) from error
    except psycopg.errors.IdleInTransactionSessionTimeout as error:
        raise _stood_still(name) from error
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
        raise Unavailable(f"{name}: {_first_line(error)}; check the rights of its user") from error


def _explained(name: str, error: psycopg.OperationalError) -> AlpError:
    text = _first_line(error)
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return Busy(f"{name}: somebody else has been at work on the same for long; try again ({text})")
    if "idle-in-transaction timeout" in text:  # heard while sending: the error has no number then
        return _stood_still(name)
    code = error.sqlstate or ""
    if code.startswith(_PASSING) or any(word in text for word in _COMING) or not (code or "FATAL" in text):
        return TryAgain(f"{name}: nothing was changed as far as is known; try again ({text})")
    return Unavailable(f"{name}: {text}; check `database` in alp.yaml, and the password (PGPASSWORD, PGPASSFILE)")


def _stood_still(name: str) -> TryAgain:
    return TryAgain(f"{name}: this program stood still for too long; nothing was changed")


def shown(address: str) -> str:
    """The address as a person may see it: without its password."""
    try:
        given = conninfo_to_dict(address)
    except psycopg.ProgrammingError as error:
        raise Unavailable(
            "database in alp.yaml: no address of a PostgreSQL database: expected postgresql://HOST/NAME"
        ) from error
    where = f"{given.get('host', '')}:{given['port']}" if "port" in given else str(given.get("host", ""))
    return f"postgresql://{where}/{given.get('dbname') or given.get('service', '')}"


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
