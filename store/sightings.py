"""Sightings: what belongs to an incident, appended by whoever sees it and folded later."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from config.alert_routes import SEVERITIES
from store.ids import new_ids
from store.moments import to_ms
from store.schema import incident_deltas
from store.writes import insert_rows

_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that happened `count` times and belongs to the incident `key` of `account`.

    The incident opens once `threshold` sightings fall within `within`. `example` is masked.
    """

    account: str
    key: str
    rule: str
    severity: str
    title: str
    next_step: str
    at: datetime
    threshold: int = 1
    within: timedelta = timedelta(hours=1)
    repeat: timedelta = timedelta(hours=24)
    count: int = 1
    example: str = ""
    cause: str = ""
    """What the reports blame; empty where it is not about reports."""
    purpose: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the incident is grouped by, such as sender and network; never an address."""
    since: datetime | None = None
    """When it began, where what is seen `at` a moment has gone on before."""
    quiet: timedelta | None = None
    """How long nothing is heard of it until it is over; nothing: as the installation has it."""


def together(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Return one sighting for each incident, minute and purpose, with the counts added up: a rate needs its minutes."""
    found: dict[tuple[str, str, int, str], Sighting] = {}
    for sighting in sightings:
        key = (sighting.account, sighting.key, to_ms(sighting.at) // 60_000, sighting.purpose)
        known = found.get(key)
        found[key] = sighting if known is None else replace(known, count=known.count + sighting.count)
    return list(found.values())


def note(connection: Connection, sightings: Iterable[Sighting]) -> None:
    """Append sightings. They cost one row each, lock nothing that others need, and are folded later."""
    merged = sorted(together(sightings), key=lambda sighting: (sighting.account, sighting.key))
    rows = [_delta(number, seen) for number, seen in zip(new_ids(len(merged)), merged, strict=True)]
    insert_rows(connection, incident_deltas, rows)


def _delta(number: int, seen: Sighting) -> dict[str, Any]:
    return {
        "id": number,
        "account": seen.account,
        "key": seen.key[:400],
        "rule": seen.rule,
        # People's routes know three words, and nobody must miss something for the sake of a fourth.
        "severity": seen.severity if seen.severity in SEVERITIES else SEVERITIES[-1],
        "title": seen.title,
        "next_step": seen.next_step,
        "threshold": seen.threshold,
        "within_ms": seen.within // _MILLISECOND,
        "repeat_ms": seen.repeat // _MILLISECOND,
        "quiet_ms": 0 if seen.quiet is None else seen.quiet // _MILLISECOND,
        "count": seen.count,
        "first_at": seen.since or seen.at,
        "last_at": seen.at,
        "example": seen.example,
        "cause": seen.cause,
        "purpose": seen.purpose,
        "facts": json.dumps(dict(seen.facts), ensure_ascii=False, sort_keys=True),
    }
