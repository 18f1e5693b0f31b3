"""What is to stand on Infobip's lists for some people: worked out from our own list, person by person."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete

from policy.mirror import BLOCKLIST, COMPLAINT, EMAIL, PUSH, Place, Standing, Wishes, places_of
from store import listed as rows
from store.ids import new_ids
from store.listed import ADD, GONE, MISSING, REFUSED, REMOVE, SENT, THEIRS, THERE, TO_PUSH, VERIFIED
from store.moments import from_ms, to_ms
from store.schema import listed, suppressions
from store.suppressions import ACTIVE
from store.writes import insert_new, select_in

STAYS: Final = "complaints are not taken off by programs; remove it in Infobip's portal"

Key = tuple[str, str, str, str]
Values = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record that is asked for: by which entry, and until when."""

    suppression_id: int
    until: datetime | None


@dataclass(slots=True)
class _Differences:
    new: list[dict[str, Any]] = field(default_factory=list)
    changes: dict[Values, list[int]] = field(default_factory=lambda: defaultdict(list))
    dropped: list[int] = field(default_factory=list)
    people: set[bytes] = field(default_factory=set)

    @property
    def total(self) -> int:
        return len(self.new) + len(self.dropped) + sum(map(len, self.changes.values()))


def align(connection: Connection, account: str, people: Iterable[bytes], wishes: Wishes, now: datetime) -> int:
    """Make these people's records ask for what our list says now; return how many records changed."""
    found = _differences(connection, account, sorted(people), wishes, now, lock=True)
    _write(connection, found, now)
    return found.total


def astray(connection: Connection, account: str, people: Iterable[bytes], wishes: Wishes, now: datetime) -> set[bytes]:
    """Return those whose records do not ask for what our list says. It only reads, so nobody waits for it."""
    return _differences(connection, account, sorted(people), wishes, now, lock=False).people


def _differences(
    connection: Connection, account: str, people: Sequence[bytes], wishes: Wishes, now: datetime, *, lock: bool
) -> _Differences:
    found = _Differences()
    if not people:
        return found
    wanted = _wanted(connection, account, people, wishes, now)
    known: dict[bytes, dict[Key, Any]] = defaultdict(dict)
    for row in select_in(connection, listed, "address", people, lock=lock):
        if row.account == account:
            known[bytes(row.address)][row.list, row.channel, row.scope, row.source] = row
    for person in people:
        before = found.total
        _compare(found, account, person, wanted.get(person, {}), known[person], wishes, now)
        if found.total > before:
            found.people.add(person)
    return found


def _compare(
    found: _Differences,
    account: str,
    person: bytes,
    asked: Mapping[Place, Wanted],
    known: Mapping[Key, Any],
    wishes: Wishes,
    now: datetime,
) -> None:
    for place, why in asked.items():
        there = known.get((place.list, place.channel, place.scope, place.source))
        if there is None:
            if not _covered(place, known.values()):
                found.new.append(_new_row(account, person, place, why, now))
        elif values := _asked_again(there, why, now):
            found.changes[_frozen(values)].append(there.id)
    places = {(place.list, place.channel, place.scope, place.source) for place in asked}
    for key, row in known.items():
        if key not in places and (_is_on(row, wishes) or row.op == THEIRS):
            left = _no_longer(row, now)
            if left is None:
                found.dropped.append(row.id)
            elif left:
                found.changes[_frozen(left)].append(row.id)


def _write(connection: Connection, found: _Differences, now: datetime) -> None:
    for made, number in zip(found.new, new_ids(len(found.new)), strict=True):
        made["id"] = number
    insert_new(connection, listed, found.new)
    for values, numbers in found.changes.items():
        rows.change(connection, numbers, now, **dict(values))
    for start in range(0, len(found.dropped), 500):
        connection.execute(delete(listed).where(listed.c.id.in_(found.dropped[start : start + 500])))


def _frozen(values: Mapping[str, Any]) -> Values:
    return tuple(sorted(values.items(), key=lambda one: one[0]))


def lists_on(wishes: Wishes) -> list[str]:
    """Return the lists that may be written to."""
    on = {BLOCKLIST: wishes.blocklist, EMAIL: bool(wishes.email_domains), PUSH: wishes.push}
    return [name for name, is_on in on.items() if is_on]


def _is_on(row: Any, wishes: Wishes) -> bool:
    """Whether the record is on a list that we may write to: what is switched off is left as it is."""
    return row.list in lists_on(wishes) and (row.list != EMAIL or row.scope in wishes.email_domains)


def _wanted(
    connection: Connection, account: str, people: Sequence[bytes], wishes: Wishes, now: datetime
) -> dict[bytes, dict[Place, Wanted]]:
    found: dict[bytes, dict[Place, Wanted]] = defaultdict(dict)
    moment = to_ms(now)
    for row in select_in(connection, suppressions, "address", people):
        if row.account != account or row.state != ACTIVE or (row.until is not None and row.until <= moment):
            continue
        until = None if row.until is None else from_ms(row.until)
        person = found[bytes(row.address)]
        for place in places_of(standing_of(row), wishes):
            known = person.get(place)
            longer = known is not None and (known.until is None or (until is not None and until <= known.until))
            if not longer:
                person[place] = Wanted(row.id, until)
    return found


def standing_of(row: Any) -> Standing:
    """Return what of a suppression's row decides."""
    application = ""
    if row.channel == "push" and not row.sender:
        # The report that led to it names the application as its sender (OUTBOUND 4.3).
        application = str(json.loads(row.evidence).get("sender") or "")
    return Standing(
        channel=row.channel,
        sender=row.sender,
        campaign=row.campaign,
        purpose=row.purpose,
        cause=row.cause,
        origin=row.origin,
        ends=row.until is not None,
        application=application,
    )


def _covered(place: Place, known: Iterable[Any]) -> bool:
    """Whether a record of theirs blocks the same already: ours beside it would say nothing new."""
    return place.list == BLOCKLIST and any(
        row.list == BLOCKLIST
        and row.op == THEIRS
        and row.state != GONE
        and row.channel in ("", place.channel)
        and row.scope in ("", place.scope)
        for row in known
    )


def _new_row(account: str, person: bytes, place: Place, why: Wanted, now: datetime) -> dict[str, Any]:
    return {
        "id": 0,
        "account": account,
        "list": place.list,
        "address": person,
        "channel": place.channel,
        "scope": place.scope,
        "source": place.source,
        "op": ADD,
        "state": TO_PUSH,
        "wanted": 1,
        "suppression_id": why.suppression_id,
        "until": why.until,
        "due_at": now,
        "batch": 0,
        "answered": 0,
        "attempts": 0,
        "looks": 0,
        "first_sent_at": None,
        "sent_at": None,
        "created_there": None,
        "account_key": "",
        "seen_scan": 0,
        "note": "",
        "changed_at": now,
    }


_ANEW: Final[dict[str, Any]] = {
    "op": ADD,
    "state": TO_PUSH,
    "first_sent_at": None,
    "sent_at": None,
    "looks": 0,
    "note": "",
    "created_there": None,
}


def _asked_again(row: Any, why: Wanted, now: datetime) -> dict[str, Any]:
    """Return what changes of a record that is known and asked for; nothing where it is as it should be."""
    values: dict[str, Any] = {}
    until = None if why.until is None else to_ms(why.until)
    if row.wanted != 1 or row.until != until or row.suppression_id != why.suppression_id:
        values = {"wanted": 1, "until": why.until, "suppression_id": why.suppression_id}
    if row.op == THEIRS:
        # It stands there by itself; only where it is gone, ours is needed.
        return {**values, **_ANEW, "due_at": now} if row.state == GONE else values
    if row.op == REMOVE and row.state != SENT:
        if row.state == VERIFIED:
            return {**values, **_ANEW, "due_at": now}
        return {**values, "op": ADD, "state": VERIFIED, "looks": 0, "note": ""}
    return values


def _no_longer(row: Any, now: datetime) -> dict[str, Any] | None:
    """Return what changes of a record that nothing asks for any more; `None`: it never got there, and goes."""
    if row.op == ADD:
        if row.state == REFUSED or (row.state == TO_PUSH and row.first_sent_at is None):
            return None
        if row.state == VERIFIED:
            if row.source == COMPLAINT:
                return {"wanted": 0, "op": THEIRS, "state": THERE, "until": None, "note": STAYS}
            return {"wanted": 0, "op": REMOVE, "state": TO_PUSH, "due_at": now, "looks": 0, "until": None}
        if row.state in (TO_PUSH, MISSING):
            # It may have got there all the same: it is looked for, and then taken off or forgotten.
            return {"wanted": 0, "state": SENT, "due_at": now, "until": None}
    return {"wanted": 0, "until": None} if row.wanted == 1 else {}
