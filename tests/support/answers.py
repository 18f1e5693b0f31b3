"""The one form of what programs read: times as text in UTC, booleans as booleans, objects as objects, ids as text."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

# RFC 3339 in UTC, to the millisecond or the second.
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?(?:Z|\+00:00)")
_LIKE_A_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*")
_OF_MOMENTS: Final = re.compile(r"(?:.*_)?(?:at|since|until|before)|first|last|due|asked|moment|timestamp")
_NO_MOMENTS: Final = frozenset({"told_at"})
_OF_BOOLEANS: Final = re.compile(r"(?:is|has|was)_.*|replay|reveal|blocked|held_back|whole|silenced|flags")
# No count here is as high; milliseconds since 1970 and ids of 63 bits are.
_TOO_LARGE: Final = 10**11


def faults(value: Any, path: str = "$", name: str = "") -> Iterator[str]:
    """Yield what in an answer breaks the rule, each with the path to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from faults(inner, f"{path}.{key}", str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from faults(inner, f"{path}[{place}]", name)
    else:
        yield from (f"{path}: {fault}: {value!r}" for fault in _of_leaf(value, name))


def _of_leaf(value: Any, name: str) -> Iterator[str]:
    if _OF_BOOLEANS.fullmatch(name) and not isinstance(value, bool) and value is not None:
        yield "no boolean"
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _TOO_LARGE:
        yield "a number of milliseconds or an id"
    if _OF_MOMENTS.fullmatch(name) and value is not None and not _is_moment(value):
        yield "no point in time"
    if isinstance(value, str):
        if _LIKE_A_MOMENT.fullmatch(value) and not _MOMENT.fullmatch(value):
            yield "a time in another form"
        if value[:1] in ("{", "[") and _is_json(value):
            yield "JSON inside a text"


def _is_moment(value: Any) -> bool:
    return isinstance(value, str) and _MOMENT.fullmatch(value) is not None


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False
