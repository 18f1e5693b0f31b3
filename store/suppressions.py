"""Whom nothing more is sent to, since when, for how long, and on what evidence."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, or_, select, update

from codes.causes import FIRM
from store import trail
from store.ids import new_ids
from store.schema import suppressions
from store.trail import Change
from store.writes import insert_returning, select_in

# Causes that a later delivery on the same channel disproves. An opt-out, a complaint or a deactivation is not among
# them: a delivery says nothing about what the person wants, and a dead number's next owner receives very well.
LIFTED_BY_DELIVERY: Final = (
    "recipient_unknown",
    "address_invalid",
    "recipient_barred",
    "recipient_not_on_channel",
    "recipient_full",
    "recipient_unreachable",
    "recipient_out_of_credit",
)
ACTIVE: Final = "active"
PROPOSED: Final = "proposed"
HELD: Final = "held"
LIFTED: Final = "lifted"
DROPPED: Final = "dropped"
STANDING: Final = (ACTIVE, PROPOSED, HELD)
"""In force, or waiting for a person."""
_OVER: Final = (LIFTED, DROPPED)
_FIRST_WORDS: Final = {ACTIVE: "suppressed", PROPOSED: "proposed", HELD: "held"}
DECIDED: Final = -1
"""`held_by` of an entry that a person decided on."""

Key = tuple[str, bytes, str, str]
"""Account, address, scope and cause: what makes two entries one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A suppression about to be written. Empty `channel`, `sender` or `campaign` means all."""

    account: str
    address: bytes
    channel: str
    sender: str
    campaign: str
    purpose: str
    cause: str
    rule: str
    origin: str
    state: str
    since: datetime
    until: datetime | None
    evidence: Mapping[str, Any]
    scopes: tuple[tuple[str, str], ...] = ()
    """(dimension, value) in which the guard against mass suppression counts it."""
    held_by: int = 0
    """The hold that keeps it back."""

    @property
    def is_firm(self) -> bool:
        """Whether the person or the carrier said so outright: the guard never holds it."""
        return self.cause in FIRM

    @property
    def key(self) -> Key:
        """What makes it one and the same entry."""
        return self.account, self.address, self.scope, self.cause

    @property
    def scope(self) -> str:
        """The scope as one text, part of the unique key: nullable columns would never conflict."""
        sender, campaign = _plain(self.sender), _plain(self.campaign)
        return cut(f"channel={self.channel};sender={sender};campaign={campaign};purpose={self.purpose}", 300)


def cut(text: str, most: int) -> str:
    """Return `text`, or as much of it as fits with a hash of the whole: two that differ stay two."""
    if len(text) <= most:
        return text
    mark = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{text[: most - len(mark) - 1]}#{mark}"


def _plain(text: str) -> str:
    # What separates the fields of a scope stands in none of them.
    return text.replace("%", "%25").replace(";", "%3B")


def standing(connection: Connection, entries: Iterable[Entry]) -> dict[Key, Row[Any]]:
    """Return the rows that these entries' people have already, whatever their state. Times are milliseconds."""
    people = [entry.address for entry in entries]
    return {_key(row): row for row in select_in(connection, suppressions, "address", people)} if people else {}


def suppress(
    connection: Connection, entries: Sequence[Entry], at: datetime, who: str, known: Mapping[Key, Any] | None = None
) -> int:
    """Write suppressions; one that stands already is confirmed, prolonged or renewed, never doubled.

    A proposal never weakens what is active, what a person lifted after the event is not brought back by it, and what
    waits for a person goes on waiting. `known` is what `standing` returned. Returns how many changed.
    """
    ordered = sorted(entries, key=lambda entry: (entry.account, entry.address, entry.scope, entry.cause))
    known = standing(connection, ordered) if known is None else known
    new = {entry.key: entry for entry in reversed(ordered) if entry.key not in known}
    written = _write_new(connection, [entry for entry in ordered if new.get(entry.key) is entry], at, who)
    changes: dict[int, Change] = {}
    changed = len(written)
    for entry in ordered:
        if entry.key in written and new[entry.key] is entry:
            continue
        # It stands already, or another worker was first: its entry is committed now, and ours may be the stronger.
        stands = find(connection, entry)
        if stands is not None and stands.id in changes:
            trail.change(connection, [changes.pop(stands.id)], at, who)
            stands = find(connection, entry)
        change = _renewal(connection, stands, entry, at) if stands is not None else None
        if change is not None:
            changes[change.id] = change
            changed += 1
    trail.change(connection, list(changes.values()), at, who)
    return changed


def _key(row: Row[Any]) -> Key:
    return row.account, bytes(row.address), row.scope, row.cause


def _write_new(connection: Connection, entries: Sequence[Entry], at: datetime, who: str) -> set[Key]:
    """Write entries, each of another key; return the keys of those that nobody else had written meanwhile."""
    if not entries:
        return set()
    numbers = new_ids(len(entries))
    told = [(_FIRST_WORDS[entry.state], entry.rule) for entry in entries]
    trails = trail.begin(numbers, at, who, told)
    rows = [
        _new_row(number, entry, at, begun["hash"])
        for number, entry, begun in zip(numbers, entries, trails, strict=True)
    ]
    written = {number for (number,) in insert_returning(connection, suppressions, rows, ("id",))}
    trail.write(connection, [begun for begun in trails if begun["suppression_id"] in written])
    return {entry.key for number, entry in zip(numbers, entries, strict=True) if number in written}


def _new_row(number: int, entry: Entry, at: datetime, head: bytes) -> dict[str, Any]:
    return {
        "id": number,
        "account": entry.account,
        "address": entry.address,
        "scope": entry.scope,
        "channel": entry.channel,
        "sender": cut(entry.sender, 255),
        "campaign": cut(entry.campaign, 255),
        "purpose": entry.purpose,
        "cause": entry.cause,
        "rule": entry.rule,
        "origin": entry.origin,
        "state": entry.state,
        "since": entry.since,
        "event_at": entry.since,
        "until": entry.until,
        "times": 1,
        "evidence": json.dumps(dict(entry.evidence), ensure_ascii=False),
        "changed_at": at,
        "held_by": entry.held_by,
        "audit_head": head,
    }


def find(connection: Connection, entry: Entry) -> Row[Any] | None:
    """Return the row that this entry has already, locked until the end of the transaction."""
    query = select(suppressions).where(
        suppressions.c.account == entry.account,
        suppressions.c.address == entry.address,
        suppressions.c.scope == entry.scope,
        suppressions.c.cause == entry.cause,
    )
    if connection.dialect.name != "sqlite":
        query = query.with_for_update()
    return connection.execute(query).first()


def _renewal(connection: Connection, stands: Row[Any], entry: Entry, at: datetime) -> Change | None:
    """Return what an entry changes of the one that stands; where it only confirms it, that is noted at once."""
    # By event time, whatever the order of arrival: a lift stands against what happened before it.
    if stands.state in _OVER and entry.since <= stands.event_at:
        return None
    over = stands.state in _OVER
    ended = over or (stands.state != HELD and stands.until is not None and stands.until <= at)
    # What waits for a person goes on waiting, and what is in force is not prolonged by what the guard holds back.
    waits = not ended and entry.held_by != DECIDED and HELD in (stands.state, entry.state)
    stronger = not waits and stands.state != ACTIVE and entry.state == ACTIVE
    longer = not waits and stands.until is not None and (entry.until is None or entry.until > stands.until)
    back = not ended and stands.state == PROPOSED and entry.state == HELD
    moved = {"event_at": max(stands.event_at, entry.since)}
    if not (stronger or ended or longer or back):
        connection.execute(update(suppressions).where(suppressions.c.id == stands.id).values(**moved))
        return None
    values: dict[str, Any] = {
        **moved,
        "state": stands.state if longer and not (stronger or ended) else entry.state,
        "until": entry.until,
        "rule": entry.rule,
        "times": stands.times + (ended and stands.state in (ACTIVE, LIFTED)),
        "evidence": json.dumps(dict(entry.evidence), ensure_ascii=False),
        "changed_at": at,
        "held_by": entry.held_by or (DECIDED if stands.held_by == DECIDED and not ended else 0),
        "since": entry.since if ended else stands.since,
        # Begun anew, it is whoever's who says so now: what Infobip's list once led to may be an operator's today.
        "origin": entry.origin if ended else stands.origin,
    }
    word = "held" if entry.state == HELD else "renewed" if ended else "activated" if stronger else "prolonged"
    return Change(stands.id, word, entry.rule, values)


def lift_opt_out(
    connection: Connection,
    account: str,
    address: bytes,
    causes: Iterable[str],
    *,
    sender: str,
    channel: str,
    at: datetime,
    now: datetime,
    reason: str,
) -> int:
    """Lift the person's opt-outs in the scope of their opt-in, as far as they are older than it."""
    same_scope = or_(
        and_(suppressions.c.sender != "", suppressions.c.sender == cut(sender, 255)),
        and_(suppressions.c.sender == "", suppressions.c.channel.in_(("", channel))),
    )
    query = select(suppressions.c.id).where(
        suppressions.c.account == account,
        suppressions.c.address == address,
        suppressions.c.cause.in_(sorted(causes)),
        suppressions.c.state.in_(STANDING),
        suppressions.c.event_at <= at,
        same_scope,
    )
    return lift(connection, [(number, at) for number in connection.scalars(query)], now, "person", reason)


def lift(connection: Connection, lifts: Sequence[tuple[int, datetime]], at: datetime, who: str, reason: str) -> int:
    """Lift entries, each as of the event time beside its id; return how many."""
    changes = [
        Change(number, "lifted", reason, {"state": LIFTED, "changed_at": at, "event_at": moment, "held_by": 0})
        for number, moment in lifts
    ]
    trail.change(connection, changes, at, who)
    return len(changes)
