"""What people typed by hand, wherever it is kept, where it names a person who is forgotten: found first, then blanked.

It is found by reading alone, since nobody should wait for the reading of many texts, and each text is looked at once.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, select, update

from store import trail_cuts
from store.parts import in_parts
from store.schema import (
    api_keys,
    guard_holds,
    incident_events,
    incident_silences,
    incidents,
    lift_requests,
    pauses,
    protections,
    retries,
    suppression_audit,
    suppressions,
)
from store.trail import Change, change
from store.writes import locked

NOBODY: Final = "forgotten"
"""What stands in place of a name: a name that is empty says something, such as that an incident ended by itself."""
Mentions = Callable[[str], bool]
# Where something typed is kept -> what stands there instead.
_TEXTS: Final[Sequence[tuple[Column[str], str]]] = (
    (incident_events.c.detail, ""),
    (incident_events.c.who, NOBODY),
    (incidents.c.ended_by, NOBODY),
    (incident_silences.c.why, ""),
    (incident_silences.c.who, NOBODY),
    (retries.c.note, ""),
    (pauses.c.why, ""),
    (pauses.c.who, NOBODY),
    (protections.c.reason, ""),
    (protections.c.who, NOBODY),
    (lift_requests.c.reason, ""),
    (lift_requests.c.who, NOBODY),
    (lift_requests.c.decided_by, NOBODY),
    (guard_holds.c.who, NOBODY),
    (api_keys.c.name, NOBODY),
)
_TRAIL: Final = (suppression_audit.c.who, suppression_audit.c.detail)
# What an entry's maker typed is in its evidence, beside who that was.
_BY: Final = '"by": '
_IN_EVIDENCE: Final = {"by": NOBODY, "reason": ""}
_AT_A_TIME: Final = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """Texts by the place in `_TEXTS` that has them, and the entries whose trail or evidence names the person."""

    texts: Mapping[int, Sequence[str]]
    trails: Sequence[int]
    evidence: Sequence[int]


def find(connection: Connection, mentions: Mentions) -> Found:
    """Return where the person is named. It only reads."""
    texts = {
        place: found for place, (column, _) in enumerate(_TEXTS) if (found := _naming(connection, column, mentions))
    }
    trails: set[int] = set()
    for column in _TRAIL:
        for part in in_parts(_naming(connection, column, mentions)):
            trails.update(connection.scalars(select(suppression_audit.c.suppression_id).where(column.in_(part))))
    typed = select(suppressions.c.id, suppressions.c.evidence).where(suppressions.c.evidence.contains(_BY))
    rows = connection.execute(typed, execution_options={"yield_per": _AT_A_TIME})
    evidence = [row.id for row in rows if _without(json.loads(row.evidence), mentions)]
    return Found(texts, sorted(trails), evidence)


def _naming(connection: Connection, column: Column[str], mentions: Mentions) -> list[str]:
    """Return the different texts of a column that name the person."""
    query = select(column).distinct().where(column != "")
    return [text for text in connection.scalars(query, execution_options={"yield_per": _AT_A_TIME}) if mentions(text)]


def _without(evidence: Mapping[str, Any], mentions: Mentions) -> dict[str, Any]:
    """Return what changes of an entry's evidence."""
    return {
        name: instead
        for name, instead in _IN_EVIDENCE.items()
        if isinstance(text := evidence.get(name), str) and mentions(text)
    }


def blank(connection: Connection, found: Found, mentions: Mentions, now: datetime, who: str, why: str) -> int:
    """Blank what was found; return how many texts that were.

    A trail that names the person is cut up to there, as the person's own is: no line of a chain can be rewritten.
    """
    done = 0
    for place, texts in found.texts.items():
        column, instead = _TEXTS[place]
        for part in in_parts(texts):
            named = update(column.table).where(column.in_(part))
            done += connection.execute(named.values({column: instead})).rowcount
    done += trail_cuts.cut_mentions(connection, found.trails, mentions, now, who)
    for numbers in in_parts(found.evidence):
        query = select(suppressions.c.id, suppressions.c.evidence).where(suppressions.c.id.in_(numbers))
        changes = []
        for row in connection.execute(locked(connection, query.order_by(suppressions.c.id))):
            evidence = json.loads(row.evidence)
            if changed := _without(evidence, mentions):
                values = {"evidence": json.dumps(evidence | changed, ensure_ascii=False)}
                changes.append(Change(row.id, "evidence removed", why, values))
        change(connection, changes, now, who)
        done += len(changes)
    return done
