"""When incidents were open for a network, a mail domain or a country: what failed there then says nothing about people.

An incident counts, once it has opened at all, for its spells (`store.spells`), and not beyond its end: one that stays
below its threshold is none, and a trickle that keeps it open is none either. That goes by the time of the events. What
is grouped by sender or campaign is about those.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from codes.causes import FIRM
from store import spells
from store.moments import from_ms, to_ms
from store.schema import addresses, incidents, suppressions
from store.suppressions import DECIDED, DROPPED, STANDING
from store.trail import Change, change
from store.writes import locked, select_in

_KINDS: Final = ("network", "domain", "country")
_OF_OURS: Final = frozenset({"sender", "campaign"})
_OPEN: Final = ("open", "acknowledged")
_COLUMNS: Final = ("id", "account", "place", "facts", "spells", "state", "resolved_at", "is_open")
_MCC: Final = 3
_AT_ONCE: Final = 500
Place = tuple[str, str]
"""An account, and `network=..` or `domain=..`."""


def place_of(mcc_mnc: str, domain: str) -> str:
    """Return where a failure happened: at a mail domain, else on a network, else nowhere that is known."""
    if domain:
        return f"domain={domain}"[:300]
    return f"network={mcc_mnc}" if mcc_mnc else ""


def place_of_incident(facts: Mapping[str, Any]) -> str:
    """Return the place that an incident with these facts is about as a whole, or the empty text."""
    name = next((kind for kind in _KINDS if facts.get(kind)), "")
    return f"{name}={facts[name]}"[:300] if name and _OF_OURS.isdisjoint(facts) else ""


class _Outage(NamedTuple):
    incident: int
    channel: str
    begins_ms: int
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Outages:
    """What was open, by account and place."""

    known: Mapping[Place, Sequence[_Outage]] = field(default_factory=dict)

    def excuse(self, account: str, place: str, channel: str, at: datetime) -> str:
        """Return why a failure there at that moment does not count, as a clause; the empty text where it does."""
        if not self.known or not place:
            return ""
        moment = to_ms(at)
        for where in _around(place):
            for one in self.known.get((account, where), ()):
                if one.begins_ms <= moment <= one.ends_ms and one.channel in ("", channel):
                    return f"incident {one.incident} was open for {where.replace('=', ' ')}"
        return ""


def _around(place: str) -> tuple[str, ...]:
    """Return a place and the country that it is in."""
    kind, _, value = place.partition("=")
    return (place, f"country={value[:_MCC]}") if kind == "network" else (place,)


def read(connection: Connection, places: Iterable[Place]) -> Outages:
    """Return the incidents that are, or were, open for any of these places: one look into an index."""
    wanted = {(account, where) for account, place in places if place for where in _around(place)}
    if not wanted:
        return Outages()
    accounts = {account for account, _ in wanted}
    rows = select_in(
        connection, incidents, "place", {where for _, where in wanted}, accounts=accounts, columns=_COLUMNS
    )
    known: dict[Place, list[_Outage]] = {}
    for row in rows:
        is_open = row.is_open == 1 and row.state in _OPEN
        if is_open or row.resolved_at is not None:
            channel = str(msgspec.json.decode(row.facts).get("channel", ""))
            for spell in spells.decode(row.spells):
                ends_ms = spell.ends_ms if is_open else min(spell.ends_ms, row.resolved_at)
                outage = _Outage(row.id, channel, spell.begins_ms, ends_ms)
                known.setdefault((row.account, row.place), []).append(outage)
    return Outages(known)


@dataclass(frozen=True, slots=True)
class Excusing:
    """An incident that has just turned out to excuse what failed from `since` on."""

    id: int
    account: str
    place: str
    since: datetime


def newly_excusing(connection: Connection, since: datetime) -> list[Excusing]:
    """Return the open incidents about a place of which it showed since then that they excuse what was counted."""
    query = select(incidents).where(incidents.c.state.in_(_OPEN), incidents.c.is_open == 1, incidents.c.place != "")
    found = []
    for row in connection.execute(query):
        news = [one.begins_ms for one in spells.decode(row.spells) if one.noted_ms >= to_ms(since)]
        if news:
            found.append(Excusing(row.id, row.account, row.place, from_ms(min(news))))
    return found


def counted(connection: Connection, incident: Excusing) -> Iterator[list[int]]:
    """Yield whom a count at the incident's place suppressed since it began, up to 500 ids at a time.

    All that was suppressed since then is read for it, so nobody should wait for this transaction.
    """
    columns = (suppressions.c.id, suppressions.c.account, suppressions.c.evidence, addresses.c.domain)
    # Asked for in the statement, the account would lead it by an index that every entry of the account is in.
    query = select(*columns).select_from(_WITH_DOMAIN).where(*_droppable(incident))
    numbers: list[int] = []
    with connection.execution_options(yield_per=_AT_ONCE).execute(query) as rows:
        for row in rows:
            if row.account == incident.account and incident.place in _around(_counted_at(row)):
                numbers.append(row.id)
                if len(numbers) == _AT_ONCE:
                    yield numbers
                    numbers = []
    if numbers:
        yield numbers


# What the evidence of an entry has where it rests on a count of failures.
_COUNTED: Final = "counted"
_WITH_DOMAIN: Final = suppressions.outerjoin(addresses, addresses.c.hash == suppressions.c.address)


def _droppable(incident: Excusing) -> Iterable[Any]:
    return (
        suppressions.c.state.in_(STANDING),
        suppressions.c.since >= incident.since,
        suppressions.c.cause.not_in(sorted(FIRM)),
        suppressions.c.held_by != DECIDED,
        # Most rest on one report that says all: the database leaves them out for less than it takes to read them.
        suppressions.c.evidence.contains(f'"{_COUNTED}"', autoescape=True),
    )


def _counted_at(row: Any) -> str:
    """Return the place of the failures that an entry counts, or the empty text where it counts none."""
    evidence = msgspec.json.decode(row.evidence)
    return place_of(evidence.get("mcc_mnc", ""), row.domain or "") if evidence.get(_COUNTED) else ""


def drop_counted(connection: Connection, incident: Excusing, numbers: Sequence[int], now: datetime) -> int:
    """Drop those of these entries of which an incident has taken failures from the count; return how many.

    What a person decided on is left as it is. What is dropped counts for no later pause.
    """
    query = select(suppressions, addresses.c.domain).select_from(_WITH_DOMAIN)
    query = query.where(suppressions.c.id.in_(numbers), *_droppable(incident)).order_by(suppressions.c.id)
    # Locked as they are read: somebody may be accepting or lifting one of them in this moment.
    rows = connection.execute(locked(connection, query, suppressions)).all()
    found = [(row, msgspec.json.decode(row.evidence), place) for row in rows if (place := _counted_at(row))]
    outages = read(connection, {(row.account, place) for row, _, place in found})
    changes = []
    for row, evidence, place in found:
        why = _too_few(outages, row, evidence, place)
        if why:
            values = {"state": DROPPED, "changed_at": now, "held_by": 0}
            changes.append(Change(row.id, "dropped", f"failures do not count, since {why}", values))
    change(connection, changes, now, "policy")
    return len(changes)


def _too_few(outages: Outages, row: Any, evidence: Mapping[str, Any], place: str) -> str:
    """Return why the failures that count no longer suffice, or the empty text."""
    moments = [datetime.fromisoformat(text) for text in str(evidence[_COUNTED]).split(", ")]
    excuses = [outages.excuse(row.account, place, row.channel, moment) for moment in moments]
    left = excuses.count("")
    return next(filter(None, excuses), "") if left < int(evidence.get("needed", 1)) else ""
