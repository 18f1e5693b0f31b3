"""How often somebody failed: days that make a score, and times that climb tiers. Pure.

Failures count by when they happened, at most one a day and cause, only since something last arrived, and only where
they say something about the person. One that happened while an incident was open for its network or domain is excused:
it counts for nothing, whichever of the two was known first.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from codes import CAUSES
from codes.causes import Blame
from policy.history import Failed, History
from policy.suppress_plan import SuppressPlan, Tier

ABOUT_PEOPLE: Final = frozenset(
    {name for name, cause in CAUSES.items() if cause.blame in (Blame.PERSON, Blame.ADDRESS)} | {""}
)
"""Causes that make a score. The empty one is of failures from before causes were kept."""
_DAY: Final = timedelta(days=1)


class Standing(NamedTuple):
    """Where somebody stands with tiers: `number` counts from 1, and is 0 where none is reached yet."""

    number: int
    since: datetime
    """When the failure happened that reached it; later ones before its end belong to the same time."""
    at: tuple[datetime, ...]
    """The failures that count, one for each time, within what the tier looks back on."""


def counts(failed: Failed, wanted: SuppressPlan, channel: str) -> bool:
    """Whether an earlier failure is about what the plan would suppress."""
    return wanted.scope == "all" or failed.channel == channel


def days(history: History, wanted: SuppressPlan, channel: str, failed_at: datetime) -> tuple[datetime, ...]:
    """Return one moment for each day of failure inside the plan's window, today's included, the earliest first."""
    since = failed_at - wanted.within
    found = {failed_at.date(): failed_at}
    for failed in _known(history, wanted, channel, ABOUT_PEOPLE):
        if since <= failed.at <= failed_at:
            found.setdefault(failed.at.date(), failed.at)
    return tuple(sorted(found.values()))


def excused(history: History, wanted: SuppressPlan, channel: str, cause: str, failed_at: datetime) -> list[Failed]:
    """Return the failures that would count, were it not for an incident."""
    window = max(tier.within for tier in wanted.tiers) if wanted.tiers else wanted.within
    causes = frozenset({cause}) if wanted.tiers else ABOUT_PEOPLE
    return [
        failed
        for failed in history.failed
        if failed.excused
        and failed.cause in causes
        and counts(failed, wanted, channel)
        and failed_at - window <= failed.at <= failed_at
    ]


def standing(history: History, wanted: SuppressPlan, channel: str, cause: str, failed_at: datetime) -> Standing:
    """Return where a failure at `failed_at` for `cause` stands with the plan's tiers.

    A time is a failure that is not within the pause which the time before it led to, and on another day.
    """
    known = _known(history, wanted, channel, frozenset({cause}))
    moments = sorted({failed.at for failed in known if failed.at < failed_at} | {failed_at})
    times: list[datetime] = []
    number, end = 0, moments[0]
    for moment in moments:
        if moment < end or (times and moment.date() == times[-1].date()):
            continue
        times.append(moment)
        number = _reached(wanted.tiers, times)
        lasts = wanted.tiers[number - 1].lasts if number else None
        end = moment + min(lasts, _past_all(moment)) if lasts is not None else moment
    since = times[-1]
    within = wanted.tiers[number - 1].within if number else max(tier.within for tier in wanted.tiers)
    return Standing(number, since, tuple(moment for moment in times if moment > since - within))


def _known(history: History, wanted: SuppressPlan, channel: str, causes: frozenset[str]) -> Iterable[Failed]:
    return (
        failed
        for failed in history.failed
        if not failed.excused and failed.cause in causes and counts(failed, wanted, channel)
    )


def _reached(tiers: tuple[Tier, ...], times: list[datetime]) -> int:
    """Return the number of the highest tier whose times fall within its window, 0 for none."""
    last = times[-1]
    for number in range(len(tiers), 0, -1):
        tier = tiers[number - 1]
        if sum(moment > last - tier.within for moment in times) >= tier.times:
            return number
    return 0


def _past_all(moment: datetime) -> timedelta:
    """Return a span that stays a date."""
    return max(datetime.max.replace(tzinfo=moment.tzinfo) - moment - _DAY, timedelta())
