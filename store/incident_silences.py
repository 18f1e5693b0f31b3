"""Silences: while one lasts, no route hears of the incidents that it covers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from store.ids import new_id
from store.schema import incident_silences
from store.writes import insert_rows


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence. Empty fields cover all; `facts` are what the incident has to be grouped by."""

    id: int
    account: str
    cause: str
    rule: str
    facts: Mapping[str, str]
    since: datetime
    until: datetime
    why: str
    who: str

    def covers(self, incident: Any) -> bool:
        """Whether it keeps this incident back."""
        if self.account not in ("", incident.account) or self.cause not in ("", incident.cause):
            return False
        if self.rule not in ("", incident.rule):
            return False
        known = json.loads(incident.facts)
        return all(known.get(name) == value for name, value in self.facts.items())


def make(
    connection: Connection,
    *,
    account: str,
    cause: str,
    rule: str,
    facts: Mapping[str, str],
    since: datetime,
    until: datetime,
    why: str,
    who: str,
) -> int:
    """Write a silence and return its id."""
    number = new_id()
    row = {
        "id": number,
        "account": account,
        "cause": cause,
        "rule": rule,
        "facts": json.dumps(dict(facts), sort_keys=True, ensure_ascii=False),
        "since": since,
        "until": until,
        "why": why,
        "who": who[:128],
    }
    insert_rows(connection, incident_silences, [row])
    return number


def lasting(connection: Connection, now: datetime) -> list[Silence]:
    """Return the silences that have not ended, the next to end first."""
    rows = connection.execute(
        select(incident_silences).where(incident_silences.c.until > now).order_by(incident_silences.c.until)
    )
    return [_silence(row) for row in rows]


def lift(connection: Connection, number: int, now: datetime) -> bool:
    """End a silence now. Whether it lasted."""
    mine = update(incident_silences).where(incident_silences.c.id == number, incident_silences.c.until > now)
    return connection.execute(mine.values(until=now)).rowcount == 1


def keeping(found: Sequence[Silence], incident: Any) -> Silence | None:
    """Return the silence that keeps an incident back, if one does."""
    return next((one for one in found if one.covers(incident)), None)


def _silence(row: Any) -> Silence:
    facts = json.loads(row.facts)
    return Silence(row.id, row.account, row.cause, row.rule, facts, row.since, row.until, row.why, row.who)
