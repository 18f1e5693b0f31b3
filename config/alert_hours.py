"""Hours in which a route hears of incidents."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Hours:
    """From `begin` until `end`, past midnight where `begin` is the later, on the days on which it begins."""

    begin: time
    end: time
    days: frozenset[int] = frozenset(range(7))
    zone: ZoneInfo = _UTC

    @classmethod
    def read(cls, text: str, days: list[str], zone: str) -> Self:
        """Read `08:00-20:00`, names of days and a zone. Raises `ValueError` with the fix."""
        try:
            begin, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
        except ValueError:
            raise ValueError(f"hours {text!r} cannot be read; write them like 08:00-20:00") from None
        if begin == end:
            raise ValueError(f"hours {text!r} begin when they end; leave them out for the whole day")
        unknown = [day for day in days if day not in _DAYS]
        if unknown:
            raise ValueError(f"there is no day {unknown[0]!r}; write some of {', '.join(_DAYS)}")
        try:
            return cls(begin, end, frozenset(map(_DAYS.index, days)) or frozenset(range(7)), ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"time zone {zone!r} is not known; write one like Europe/Vienna") from None

    def next(self, now: datetime) -> datetime:
        """Return `now` where it is within the hours, else when they begin next."""
        today = now.astimezone(self.zone).date()
        for ahead in range(-1, 9):
            day = today + timedelta(days=ahead)
            if day.weekday() not in self.days:
                continue
            begin = datetime.combine(day, self.begin, self.zone).astimezone(UTC)
            last = day if self.begin < self.end else day + timedelta(days=1)
            end = datetime.combine(last, self.end, self.zone).astimezone(UTC)
            if now < end:
                return max(now, begin)
        raise AssertionError("there is a day within nine")
