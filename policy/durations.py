"""Durations as people write them: `90s`, `15m`, `24h`, `7d`."""

import re
from datetime import timedelta
from functools import lru_cache
from typing import Final

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM: Final = re.compile(r"(\d{1,6})\s?([smhd])")


def parse_duration(text: str) -> timedelta:
    """Return the duration that `text` names. Raises `ValueError` with the accepted form."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration: write a number and s, m, h or d, such as 15m or 7d")
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


@lru_cache(1024)
def in_words(span: timedelta) -> str:
    """Return `span` in the largest unit that leaves no remainder: `2 hours`, `7 days`, `90 seconds`."""
    seconds = round(span.total_seconds())
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds and seconds % size == 0:
            count = seconds // size
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return "0 seconds"
