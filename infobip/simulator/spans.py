"""Durations as scenarios and commands write them: `250ms`, `5s`, `10m`, `41.5h`, `2d`, or seconds as a number."""

import re
from typing import Final

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(value: object) -> float:
    """Return a duration in seconds; raises `ValueError` with what to write instead."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9:
        return float(value)
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is not a duration. Write a text such as '250ms', '5s', '10m', '36h' or '2d'.")
    return float(found[1]) * _UNITS[found[2]]
