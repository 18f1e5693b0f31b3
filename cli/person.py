"""Who does something by hand, and where that is recorded besides the row that it changes."""

import os
import pwd
import sys
from typing import Any, Final

import click
import structlog

from config.logs import hide_addresses
from config.mask import mask_text

_LONGEST_NAME: Final = 64
_LONGEST_REASON: Final = 300
by_option = click.option("--by", default="", metavar="NAME", help="Who does it, if not the user of this system.")


def who(named: str) -> str:
    """Return the name to record: the one that was given, else that of the system's user."""
    try:
        name = named.strip() or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number without a name
        name = f"uid {os.getuid()}"
    return " ".join(mask_text(name).split())[:_LONGEST_NAME]


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
