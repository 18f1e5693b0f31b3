"""When a person may be written to, in hours that suit every place where they may live."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

Quiet = tuple[time, time]
"""From, until; past midnight where the first is the later. The same twice: never quiet."""

_A_MINUTE: Final = timedelta(minutes=1)
# Two zones' quiet hours may take turns; more often than this they have no common hour at all.
_MOST_TURNS: Final = 50


def awake_at(now: datetime, zones: Sequence[ZoneInfo], quiet: Quiet | None) -> datetime | None:
    """Return when the quiet hours of all `zones` are over, or nothing where there are none now.

    `now` is aware. Where the zones have no waking hour in common within a few days, the first one's hours count.
    """
    if quiet is None or quiet[0] == quiet[1]:
        return None
    moment = now
    for _ in range(_MOST_TURNS):
        ends = [end for zone in zones if (end := _end_of_quiet(moment, zone, quiet)) is not None]
        if not ends:
            return None if moment == now else moment
        moment = max(ends)
    return _end_of_quiet(now, zones[0], quiet)


def _end_of_quiet(moment: datetime, zone: ZoneInfo, quiet: Quiet) -> datetime | None:
    begins, ends = quiet
    local = moment.astimezone(zone)
    at = local.time().replace(tzinfo=None)
    inside = begins <= at < ends if begins < ends else at >= begins or at < ends
    if not inside:
        return None
    day = local.date() if at < ends else local.date() + timedelta(days=1)
    # By the clock on the wall: a night in which the clocks are changed is longer or shorter than others.
    end = datetime.combine(day, ends, zone).astimezone(moment.tzinfo)
    return end if end > moment else moment + _A_MINUTE
