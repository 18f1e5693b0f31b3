"""A setting is a row: name, type, default, help. How rows are written, read from text, and shown."""

import dataclasses
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from marshmallow import fields

from config.secrets import Secret

_SPAN: Final = re.compile(r"(\d{1,6})\s?(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_READERS: Final[dict[Any, fields.Field[Any]]] = {
    bool: fields.Boolean(),
    int: fields.Integer(),
    float: fields.Float(),
    str: fields.String(),
}


def row(default: Any, help: str, *, group: str, example: str = "") -> Any:
    """Return the field of one setting."""
    return dataclasses.field(default=default, metadata={"help": help, "group": group, "example": example})


def read(text: str, kind: Any) -> Any:
    """Return the value that a text stands for. Raises `ValueError` or marshmallow's `ValidationError`."""
    if kind is timedelta:
        return _span(text)
    if kind in (Path, Path | None):
        return Path(text)
    return _READERS[kind].deserialize(text)


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration: write a number and ms, s, m, h or d")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def shown(value: Any) -> str:
    """Return a value as it would stand in the environment."""
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        unit = next(
            unit for unit in ("d", "h", "m", "s", "ms") if seconds >= _UNITS[unit] and not seconds % _UNITS[unit]
        )
        return f"{round(seconds / _UNITS[unit])}{unit}"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None or isinstance(value, Secret) else str(value)
