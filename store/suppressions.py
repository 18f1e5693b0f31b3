"""Whom nothing more is sent to, since when, for how long, and on what evidence."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, or_, select, update

from store import failures, told
from store.ids import new_ids
from store.moments import from_ms
from store.schema import suppression_audit, suppressions
from store.writes import insert_returning, insert_rows, select_in

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
LIFTED: Final = "lifted"


_Key = tuple[str, bytes, str, str]


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

    @property
    def key(self) -> _Key:
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


def times_suppressed(
    connection: Connection, people: Iterable[failures.Person], now: datetime
) -> dict[tuple[bytes, str], int]:
    """Return how many suppressions of each (address, cause) have ended: pauses grow with them."""
    found: dict[tuple[bytes, str], int] = {}
    for row in select_in(connection, suppressions, "address", [address for _, address in people]):
        runs = row.state in (ACTIVE, PROPOSED) and (row.until is None or from_ms(row.until) > now)
        ended = row.times - runs
        found[row.address, row.cause] = max(ended, found.get((row.address, row.cause), 0))
    return found


def suppress(connection: Connection, entries: Sequence[Entry], at: datetime, who: str) -> int:
    """Write suppressions; one that stands already is confirmed, prolonged or renewed, never doubled.

    A proposal never weakens what is active, and what a person lifted after the event is not brought back by it.
    Returns how many changed.
    """
    ordered = sorted(entries, key=lambda entry: (entry.account, entry.address, entry.scope, entry.cause))
    known = {_key(row) for row in select_in(connection, suppressions, "address", [e.address for e in ordered])}
    new = {entry.key: entry for entry in reversed(ordered) if entry.key not in known}
    written = _write_new(connection, [entry for entry in ordered if new.get(entry.key) is entry], at, who)
    changed = len(written)
    for entry in ordered:
        if entry.key in written and new[entry.key] is entry:
            continue
        # It stands already, or another worker was first: its entry is committed now, and ours may be the stronger.
        standing = _standing(connection, entry)
        changed += standing is not None and _renew(connection, standing, entry, at, who)
    return changed


def _key(row: Row[Any]) -> _Key:
    return row.account, row.address, row.scope, row.cause


def _write_new(connection: Connection, entries: Sequence[Entry], at: datetime, who: str) -> set[_Key]:
    """Write entries, each of another key; return the keys of those that nobody else had written meanwhile."""
    rows = [_new_row(number, entry, at) for number, entry in zip(new_ids(len(entries)), entries, strict=True)]
    written = {number for (number,) in insert_returning(connection, suppressions, rows, ("id",))}
    done = [(row["id"], entry) for row, entry in zip(rows, entries, strict=True) if row["id"] in written]
    _audit(connection, [(number, *_beginning(entry)) for number, entry in done], at, who)
    return {entry.key for _, entry in done}


def _beginning(entry: Entry) -> tuple[str, str]:
    return "suppressed" if entry.state == ACTIVE else "proposed", entry.rule


def _new_row(number: int, entry: Entry, at: datetime) -> dict[str, Any]:
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
    }


def _standing(connection: Connection, entry: Entry) -> Row[Any] | None:
    query = select(suppressions).where(
        suppressions.c.account == entry.account,
        suppressions.c.address == entry.address,
        suppressions.c.scope == entry.scope,
        suppressions.c.cause == entry.cause,
    )
    if connection.dialect.name != "sqlite":
        query = query.with_for_update()
    return connection.execute(query).first()


def _renew(connection: Connection, standing: Row[Any], entry: Entry, at: datetime, who: str) -> bool:
    # By event time, whatever the order of arrival: a lift stands against what happened before it.
    if standing.state == LIFTED and entry.since <= standing.event_at:
        return False
    stronger = standing.state != ACTIVE and entry.state == ACTIVE
    ended = standing.state == LIFTED or (standing.until is not None and standing.until <= at)
    longer = standing.until is not None and (entry.until is None or entry.until > standing.until)
    values: dict[str, Any] = {"event_at": max(standing.event_at, entry.since)}
    if stronger or ended or longer:
        values |= {
            "state": entry.state if (stronger or ended) else standing.state,
            "until": entry.until,
            "rule": entry.rule,
            "times": standing.times + ended,
            "evidence": json.dumps(dict(entry.evidence), ensure_ascii=False),
            "changed_at": at,
        }
        if ended:
            values["since"] = entry.since
    connection.execute(update(suppressions).where(suppressions.c.id == standing.id).values(**values))
    if stronger or ended or longer:
        audit(connection, [standing.id], at, who, "renewed" if ended else "prolonged", entry.rule)
    return stronger or ended or longer


def lift_after_delivery(
    connection: Connection, accounts: Iterable[str], delivered: Mapping[tuple[str, bytes], datetime], at: datetime
) -> int:
    """Lift what a delivery disproves, and forget soft failures. `delivered`: (channel, address) -> event time.

    `accounts` are those that the addresses belong to.
    """
    if not delivered:
        return 0
    addresses = sorted({address for _, address in delivered})
    failures.forget(connection, accounts, delivered, addresses)
    lifted = 0
    for row in select_in(connection, suppressions, "address", addresses):
        if row.state in (ACTIVE, PROPOSED) and row.cause in LIFTED_BY_DELIVERY:
            moment = _delivered_since(row, delivered)
            if moment is not None:
                lifted += _lift(connection, [row.id], at, "report", "delivered since", event_at=moment)
    return lifted


def _delivered_since(row: Row[Any], delivered: Mapping[tuple[str, bytes], datetime]) -> datetime | None:
    """Return when a delivery disproved the suppression, if one did."""
    told = from_ms(row.event_at)
    moments = [
        moment
        for (channel, address), moment in delivered.items()
        if address == row.address and row.channel in ("", channel) and told < moment
    ]
    return max(moments, default=None)


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
        suppressions.c.state.in_((ACTIVE, PROPOSED)),
        suppressions.c.event_at <= at,
        same_scope,
    )
    return _lift(connection, list(connection.scalars(query)), now, "person", reason, event_at=at)


def _lift(
    connection: Connection, ids: Sequence[int], at: datetime, who: str, reason: str, *, event_at: datetime
) -> int:
    if ids:
        lifted = update(suppressions).where(suppressions.c.id.in_(ids))
        lifted = lifted.values(state=LIFTED, changed_at=at, event_at=event_at)
        connection.execute(lifted)
        audit(connection, ids, at, who, "lifted", reason)
    return len(ids)


def audit(connection: Connection, ids: Sequence[int], at: datetime, who: str, change: str, detail: str) -> None:
    """Append to the trail of these suppressions, once they are changed; the trail is never rewritten."""
    _audit(connection, [(of, change, detail) for of in ids], at, who)


def _audit(connection: Connection, entries: Sequence[tuple[int, str, str]], at: datetime, who: str) -> None:
    lines = [(number, *entry) for number, entry in zip(new_ids(len(entries)), entries, strict=True)]
    rows = [
        {"id": number, "suppression_id": of, "at": at, "who": who, "change": change, "detail": detail}
        for number, of, change, detail in lines
    ]
    insert_rows(connection, suppression_audit, rows)
    told.suppressions_changed(connection, lines, at)
