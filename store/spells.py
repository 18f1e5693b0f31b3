"""The spells of an incident: when things happened at a rate that would have opened it.

An incident goes on until nothing was heard of it for hours, and one failure now and then keeps it open for weeks. What
it says about a network is said by its spells alone. One begins with the first of those that made the threshold, and
ends when so long a time as the threshold counts has passed since the last moment at which they still did; what is
looked at by the minute ends as the incident itself does. They go by the time of the events, minute by minute, so that
it makes no difference in which portions the sightings are folded.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from store.moments import to_ms

_MINUTE: Final = 60_000
MOST: Final = 500
"""How many are kept: each was a surge of its own, and nobody counts failures for years."""


class Spell(NamedTuple):
    """One of them, in milliseconds. `noted_ms`: when it showed, by our clock, that it covers what was past already."""

    begins_ms: int
    ends_ms: int
    noted_ms: int


class Rate(NamedTuple):
    """So many within so many minutes open the incident; `lasts_ms` is how long that is true after them."""

    threshold: int
    minutes: int
    lasts_ms: int


class Surge(NamedTuple):
    """So many as open an incident, from its first minute to that at which they were so many."""

    first: int
    last: int
    lasts_ms: int


def decode(text: str) -> list[Spell]:
    """Return what was kept."""
    return [Spell(*one) for one in msgspec.json.decode(text)]


def encode(spells: Sequence[Spell]) -> str:
    """Return what is kept."""
    return msgspec.json.encode(spells).decode()


def rates_of(deltas: Iterable[Any]) -> set[Rate]:
    """Return the rates at which these sightings open their incident: one, but where a policy has just changed."""
    return {Rate(one.threshold, one.within_ms // _MINUTE, one.quiet_ms or one.within_ms) for one in deltas}


def begins_of(deltas: Iterable[Any]) -> dict[int, int]:
    """Return when what was seen in a minute had begun, by minute, where that is before it: conditions have gone on."""
    found: dict[int, int] = {}
    for delta in deltas:
        minute, begin = to_ms(delta.last_at) // _MINUTE, to_ms(delta.first_at)
        if begin < minute * _MINUTE:
            found[minute] = min(begin, found.get(minute, begin))
    return found


def surges(minutes: Mapping[int, int], news: Collection[int], rates: Iterable[Rate]) -> list[Surge]:
    """Return the surges among these counts by minute in which any of the minutes `news` has a part."""
    order, fresh = sorted(minutes), frozenset(news)
    return sorted(one for rate in rates for one in _crossings(minutes, order, fresh, rate))


def _crossings(minutes: Mapping[int, int], order: Sequence[int], news: Collection[int], rate: Rate) -> Iterator[Surge]:
    first = total = 0
    latest = None
    for last in order:
        total += minutes[last]
        latest = last if last in news else latest
        while order[first] < last - rate.minutes:
            total -= minutes[order[first]]
            first += 1
        if total >= rate.threshold and latest is not None and latest >= order[first]:
            yield Surge(order[first], last, rate.lasts_ms)


def add(known: Sequence[Spell], found: Sequence[Surge], begins: Mapping[int, int], *, now_ms: int) -> list[Spell]:
    """Return the spells with those that these surges make, the earliest first, where they meet as one."""
    spells, early = list(known), sorted(begins)
    for one in found:
        earlier = early[bisect_left(early, one.first) : bisect_right(early, one.last)]
        begin = min([one.first * _MINUTE, *(begins[minute] for minute in earlier)])
        last = one.last * _MINUTE
        is_news = not any(spell.begins_ms <= begin and last <= spell.ends_ms for spell in known)
        spells.append(Spell(begin, last + max(one.lasts_ms, _MINUTE), now_ms if is_news else 0))
    return _joined(spells)[-MOST:]


def _joined(spells: Iterable[Spell]) -> list[Spell]:
    joined: list[Spell] = []
    for one in sorted(spells):
        if joined and one.begins_ms <= joined[-1].ends_ms:
            last = joined.pop()
            joined.append(Spell(last.begins_ms, max(last.ends_ms, one.ends_ms), max(last.noted_ms, one.noted_ms)))
        else:
            joined.append(one)
    return joined
