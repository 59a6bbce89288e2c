"""One log line for each thing that happened, with its ids; no number and no secret in it.

JSON lines for machines (the journal), coloured ones on a terminal. A command of the command line answers on stdout
and stderr itself, so there only warnings and errors are logged, and structlog's import (0.1 s) is mostly saved.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from functools import cache
from typing import Any

from alp_daemon.masking import masked, without_secrets

_tells_everything = False


def tell_everything() -> None:
    """For processes that run on: from now on ``info`` is logged too."""
    global _tells_everything
    _tells_everything = True


@cache
def _logger() -> Any:
    import structlog

    renderer: Any = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer(sort_keys=True)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _masked,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return structlog.get_logger()


def _masked(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Whatever a field was given: a traceback quotes a cell, a client chose the name, a gateway the id."""
    return {field: _safe(value) for field, value in line.items()}


def _safe(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value  # a size may have ten digits too
    if isinstance(value, dict):
        return {_safe(key): _safe(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(each) for each in value]
    return without_secrets(masked(str(value)))


def info(event: str, **fields: object) -> None:
    if _tells_everything:
        _logger().info(event, **fields)


def warning(event: str, **fields: object) -> None:
    _logger().warning(event, **fields)


def error(event: str, *, exc_info: BaseException | bool = False, **fields: object) -> None:
    _logger().error(event, exc_info=exc_info, **fields) if exc_info else _logger().error(event, **fields)
