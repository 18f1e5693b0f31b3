"""The spells of an incident: when things happened at a rate that would have opened it.

An incident goes on until nothing was heard of it for hours, and one failure now and then keeps it open for weeks. What
it says about a network is said by its spells alone. One begins with the first of those that made the threshold, and
ends when so long a time as the threshold counts has passed since the last moment at which they still did; what is
looked at by the minute ends as the incident itself does. They go by the time of the events, minute by minute, so that
it makes no difference in which portions the sightings are folded.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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


def decode(text: str) -> list[Spell]:
    """Return what was kept."""
    return [Spell(*one) for one in msgspec.json.decode(text)]


def encode(spells: Sequence[Spell]) -> str:
    """Return what is kept."""
    return msgspec.json.encode(spells).decode()


def rate_of(delta: Any) -> Rate:
    """Return the rate at which a sighting's incident opens."""
    return Rate(delta.threshold, delta.within_ms // _MINUTE, delta.quiet_ms or delta.within_ms)


def begins_of(deltas: Iterable[Any]) -> dict[int, int]:
    """Return when what was seen in a minute had begun, by minute, where that is before it: conditions have gone on."""
    found: dict[int, int] = {}
    for delta in deltas:
        minute, begin = to_ms(delta.last_at) // _MINUTE, to_ms(delta.first_at)
        found[minute] = min(begin, found.get(minute, minute * _MINUTE))
    return found


def add(
    known: Sequence[Spell], minutes: Mapping[int, int], begins: Mapping[int, int], rate: Rate, *, now_ms: int
) -> list[Spell]:
    """Return the spells with those that these counts by minute make, the earliest first, where they meet as one."""
    found = list(known)
    for window in _crossings(minutes, rate):
        begin = min(begins.get(minute, minute * _MINUTE) for minute in window)
        last = window[-1] * _MINUTE
        is_news = not any(one.begins_ms <= begin and last <= one.ends_ms for one in known)
        found.append(Spell(begin, last + max(rate.lasts_ms, _MINUTE), now_ms if is_news else 0))
    return _joined(found)[-MOST:]


def _crossings(minutes: Mapping[int, int], rate: Rate) -> Iterator[Sequence[int]]:
    """Yield the minutes up to each one at which so many were seen that they open the incident."""
    order, first, total = sorted(minutes), 0, 0
    for place, last in enumerate(order):
        total += minutes[last]
        while order[first] < last - rate.minutes:
            total -= minutes[order[first]]
            first += 1
        if total >= rate.threshold:
            yield order[first : place + 1]


def _joined(spells: Iterable[Spell]) -> list[Spell]:
    joined: list[Spell] = []
    for one in sorted(spells):
        if joined and one.begins_ms <= joined[-1].ends_ms:
            last = joined.pop()
            joined.append(Spell(last.begins_ms, max(last.ends_ms, one.ends_ms), max(last.noted_ms, one.noted_ms)))
        else:
            joined.append(one)
    return joined
