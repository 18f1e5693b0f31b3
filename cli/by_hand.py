"""Where a thing done by hand is recorded besides the row that it changes."""

import sys
from typing import Any, Final

import structlog

from config.logs import hide_addresses
from config.mask import mask_text

_LONGEST_REASON: Final = 300


def reason(text: str) -> str:
    """Return a reason as it is recorded: on one line, and without anybody's address."""
    return " ".join(mask_text(text).split())[:_LONGEST_REASON]


def record(event: str, **values: Any) -> None:
    """Write to the log what a person did: one JSON line on standard error, where that is no terminal.

    On a terminal the command's own words say the same.
    """
    if sys.stderr.isatty():
        return
    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_addresses,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.wrap_logger(structlog.PrintLogger(sys.stderr), processors=processors).info(event, **values)
