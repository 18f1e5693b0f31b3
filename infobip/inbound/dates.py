"""Every way in which Infobip writes a point in time, as an aware `datetime` in UTC.

Forms (INBOUND facts, all published payloads): `2026-01-31T16:00:00.000+0000` is the rule; a colon in the offset, `Z`,
no milliseconds, epoch milliseconds and `2026-01-31 16:00:00` or `2026/01/31 16:00:00` without a zone occur.
"""

import re
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"-?\d{1,17}")
_SPACED_OFFSET: Final = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)")
# Numbers below 10^11 are seconds (until the year 5138), then milliseconds, then microseconds.
_MICROSECONDS_PER_UNIT: Final = ((10**11, 1_000_000), (10**14, 1_000), (10**17, 1))


def parse(value: Any) -> datetime | None:
    """Return the moment that `value` (text or epoch number) names, in UTC, or None if it names none.

    Text without a zone is taken as UTC: Infobip states its own times in UTC where it states a zone at all.
    """
    moment: datetime | None
    if type(value) is str:
        try:  # Infobip's own form and its relatives first; anything else that ISO allows only if it isn't a number
            moment = datetime.fromisoformat(value) if value[4:5] == "-" else _from_text(value)
        except ValueError:
            moment = _from_text(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        moment = _from_number(value)
    else:
        return None
    if moment is None or moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first or last day of the calendar, moved beyond it
        return None


def _from_text(text: str) -> datetime | None:
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return _from_number(int(text))
    text = _SPACED_OFFSET.sub("", text.replace("/", "-").removesuffix("UTC").removesuffix("GMT").rstrip())
    if text[4:5] != "-" and "T" not in text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _from_number(number: float) -> datetime | None:
    if not isfinite(number):
        return None
    for limit, microseconds in _MICROSECONDS_PER_UNIT:
        if abs(number) < limit:
            try:
                return _EPOCH + timedelta(microseconds=round(number * microseconds))
            except OverflowError:
                return None
    return None
