"""When incidents were open for a network, a mail domain or a country: what failed there then says nothing about people.

An incident counts, once it has opened at all, for its spells (`store.spells`), and not beyond its end: one that stays
below its threshold is none, and a trickle that keeps it open is none either. That goes by the time of the events. What
is grouped by sender or campaign is about those.
"""

from collections.abc import Iterable, Mapping, Sequence
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


def drop_counted(connection: Connection, incident: Excusing, after: int, now: datetime) -> tuple[int, int]:
    """Drop what was suppressed on a count that an incident has taken failures from, up to 500 entries after an id.

    What a person decided on is left as it is. Returns the id to go on after, 0 at the end, and how many were dropped:
    they count for no later pause.
    """
    query = (
        select(suppressions, addresses.c.domain)
        .select_from(suppressions.outerjoin(addresses, addresses.c.hash == suppressions.c.address))
        .where(
            suppressions.c.state.in_(STANDING),
            suppressions.c.since >= incident.since,
            suppressions.c.cause.not_in(sorted(FIRM)),
            suppressions.c.held_by != DECIDED,
            suppressions.c.id > after,
        )
    )
    # Locked as they are read: somebody may be accepting or lifting one of them in this moment.
    query = locked(connection, query.order_by(suppressions.c.id).limit(_AT_ONCE), suppressions)
    rows = connection.execute(query).all()
    # Asked for in the statement, the account would lead it by an index that every entry of the account is in.
    mine = [row for row in rows if row.account == incident.account]
    counted = [(row, evidence) for row in mine if (evidence := msgspec.json.decode(row.evidence)).get("counted")]
    found = [(row, evidence, place_of(evidence.get("mcc_mnc", ""), row.domain or "")) for row, evidence in counted]
    outages = read(connection, {(row.account, place) for row, _, place in found})
    changes = []
    for row, evidence, place in found:
        why = _too_few(outages, row, evidence, place)
        if why:
            values = {"state": DROPPED, "changed_at": now, "held_by": 0}
            changes.append(Change(row.id, "dropped", f"failures do not count, since {why}", values))
    change(connection, changes, now, "policy")
    return rows[-1].id if len(rows) == _AT_ONCE else 0, len(changes)


def _too_few(outages: Outages, row: Any, evidence: Mapping[str, Any], place: str) -> str:
    """Return why the failures that count no longer suffice, or the empty text."""
    moments = [datetime.fromisoformat(text) for text in str(evidence["counted"]).split(", ")]
    excuses = [outages.excuse(row.account, place, row.channel, moment) for moment in moments]
    left = excuses.count("")
    return next(filter(None, excuses), "") if left < int(evidence.get("needed", 1)) else ""
