"""What the alerts of one slice add to incidents: counted as they are met, so that a storm of one cause costs little.

All that is of one incident, minute and purpose becomes one sighting, made from the first report that tells of it; of
the others only the number is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from policy import Alert, Decision
from store.incidents import Sighting
from workers import rows
from workers.prepare import Prepared

_MINUTE = 60
_Key = tuple[str, str, tuple[str, ...], int, str]


@dataclass(slots=True)
class Sighted:
    """The sightings of one slice."""

    _first: dict[_Key, Sighting] = field(default_factory=dict)
    _counts: dict[_Key, int] = field(default_factory=dict)

    def add(self, item: Prepared, decision: Decision, action: Alert, purpose: str) -> None:
        """Count one report that an alert is about; `purpose` is that of its message."""
        values = tuple([rows.dimension(name, item, decision) for name in action.group_by])
        minute = int(item.event_at.timestamp()) // _MINUTE
        key = (item.report.account, action.rule, values, minute, purpose)
        known = self._counts.get(key)
        if known is None:
            self._first[key] = rows.sighting_of(item, decision, action, purpose)
            self._counts[key] = 1
        else:
            self._counts[key] = known + 1

    def __iter__(self) -> Iterator[Sighting]:
        """Yield the sightings, each with its number."""
        for key, first in self._first.items():
            yield replace(first, count=self._counts[key])
