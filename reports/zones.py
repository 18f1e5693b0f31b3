"""Time zones in which the holder of a number may live, from the number alone.

The tables are Google's, by the library `phonenumbers`, which takes 30 ms to load: only whoever resends imports this.
"""

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone

_UNKNOWN = timezone.UNKNOWN_TIMEZONE


@lru_cache(4096)
def zones_of(address: str) -> tuple[ZoneInfo, ...]:
    """Return the zones of a number in international digits, several for a large country; none where none is known."""
    if not address.isdigit():
        return ()
    try:
        number = phonenumbers.parse(f"+{address}")
    except phonenumbers.NumberParseException:
        return ()
    # Numbers that no plan knows (yet) still begin with a country.
    names = timezone.time_zones_for_number(number)
    if set(names) <= {_UNKNOWN}:
        names = timezone.time_zones_for_geographical_number(number)
    found = []
    for name in names:
        try:
            found += [ZoneInfo(name)] if name != _UNKNOWN else []
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return tuple(found)
