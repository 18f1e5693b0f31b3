"""Small readers of request members that collect what is wrong instead of stopping at the first fault."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from infobip.inbound.dates import parse

MESSAGE_ID_MOST: Final = 200
BULK_ID_MOST: Final = 100
URL_MOST: Final = 2048
CALLBACK_DATA_MOST: Final = 4000
RECIPIENT_MOST: Final = 64
CONTENT_TYPES: Final = ("", "application/json", "application/xml")

Faults = dict[str, str]


def members(value: Any, path: str, faults: Faults) -> Mapping[str, Any]:
    """Return an object, or an empty one and a fault where it is something else."""
    if isinstance(value, Mapping):
        return value
    if value is not None:
        faults[path] = "must be an object"
    return {}


def items(value: Any, path: str, faults: Faults) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the path and the members of each object of a list that may not be empty."""
    if not isinstance(value, list) or not value:
        faults[path] = "must not be empty"
        return
    for index, one in enumerate(value):
        yield f"{path}[{index}]", members(one if one is not None else "", f"{path}[{index}]", faults)


def text(source: Mapping[str, Any], name: str, path: str, faults: Faults, most: int = 0, *, need: bool = False) -> str:
    """Return a text member; numbers are taken as text, as Infobip does with senders and recipients."""
    value = source.get(name)
    place = f"{path}.{name}" if path else name
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        if need:
            faults[place] = "must not be blank"
        return ""
    if not isinstance(value, str):
        faults[place] = "must be a text"
        return ""
    if most and len(value) > most:
        faults[place] = f"size must be between 0 and {most}"
    return value


def flag(source: Mapping[str, Any], name: str, path: str, faults: Faults, default: bool = False) -> bool:
    """Return a boolean member."""
    value = source.get(name, default)
    if isinstance(value, str) and value.lower() in ("true", "false"):  # forms have no booleans
        return value.lower() == "true"
    if not isinstance(value, bool):
        faults[f"{path}.{name}" if path else name] = "must be true or false"
        return default
    return value


def url(source: Mapping[str, Any], name: str, path: str, faults: Faults) -> str:
    """Return a web address."""
    value = text(source, name, path, faults, URL_MOST)
    if value and not value.startswith(("http://", "https://")):
        faults[f"{path}.{name}" if path else name] = "is not a valid url"
    return value


def moment(source: Mapping[str, Any], name: str, path: str, faults: Faults) -> datetime | None:
    """Return a point in time."""
    value = source.get(name)
    found = parse(value) if isinstance(value, str) else None
    if value is not None and found is None:
        faults[f"{path}.{name}" if path else name] = "must be a date such as 2031-05-06T07:08:09.000+0000"
    return found


def content_type(source: Mapping[str, Any], name: str, path: str, faults: Faults) -> str:
    """Return the wished form of reports."""
    value = text(source, name, path, faults)
    if value not in CONTENT_TYPES:
        faults[f"{path}.{name}" if path else name] = "must be application/json or application/xml"
    return value
