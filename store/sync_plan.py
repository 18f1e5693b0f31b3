"""Bring the records that are to stand on Infobip's lists in line with our own list.

Whoever changed is worked out anew, person by person: first by going through all entries once, then by following the
audit trail, which has a row for every change. Both remember how far they are in the transaction that writes the rows.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, select

from policy.mirror import BLOCKLIST, COMPLAINT, EMAIL, PUSH, Place, Standing, Wishes, places_of
from store import listed as rows
from store import sync_runs
from store.ids import first_id_of, new_ids
from store.listed import ADD, GONE, MISSING, REFUSED, REMOVE, SENT, THEIRS, THERE, TO_PUSH, VERIFIED
from store.moments import from_ms, to_ms
from store.schema import listed, suppression_audit, suppressions
from store.suppressions import ACTIVE
from store.sync_runs import WALKED, Run
from store.writes import insert_new, select_in

_AT_ONCE: Final = 1_000
_FOLLOWED_AT_ONCE: Final = 4_000
# Changes are written under ids made a little earlier, maybe on a host whose clock is behind.
_LATE: Final = timedelta(minutes=2)
_WALK_AGAIN: Final = timedelta(hours=24)
STAYS: Final = "complaints are not taken off by programs; remove it in Infobip's portal"

Key = tuple[str, str, str, str]
Values = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record that is asked for: by which entry, and until when."""

    suppression_id: int
    until: datetime | None


def follow(connection: Connection, run: Run, wishes: Wishes, signature: str, now: datetime) -> int:
    """Work out a page of what changed; return how much was, 0 when all is up to date."""
    if run.signature != signature or run.walked_at is None or now - run.walked_at > _WALK_AGAIN:
        # What changes from here on is followed; what changed before is gone through now.
        start = {"signature": signature, "walked_at": now, "trail_after": first_id_of(to_ms(now - _LATE))}
        return _walk(connection, run.account, 0, wishes, now, **start)
    if run.walk_after != WALKED:
        return _walk(connection, run.account, run.walk_after, wishes, now)
    return _ended(connection, run, wishes, now) or _trail(connection, run, wishes, now)


def _walk(connection: Connection, account: str, after: int, wishes: Wishes, now: datetime, **values: Any) -> int:
    query = select(suppressions.c.id, suppressions.c.address)
    query = query.where(suppressions.c.account == account, suppressions.c.id > after)
    found = connection.execute(query.order_by(suppressions.c.id).limit(_AT_ONCE)).all()
    align(connection, account, {bytes(row.address) for row in found}, wishes, now)
    reached = found[-1].id if len(found) == _AT_ONCE else WALKED
    sync_runs.note(connection, account, now, walk_after=reached, **values)
    return len(found)


def _trail(connection: Connection, run: Run, wishes: Wishes, now: datetime) -> int:
    settled = first_id_of(to_ms(now - _LATE))
    query = select(suppression_audit.c.id, suppressions.c.account, suppressions.c.address)
    query = query.join(suppressions, suppressions.c.id == suppression_audit.c.suppression_id)
    query = query.where(suppression_audit.c.id > run.trail_after).order_by(suppression_audit.c.id)
    found = connection.execute(query.limit(_FOLLOWED_AT_ONCE)).all()
    ours = {bytes(row.address) for row in found if row.account == run.account}
    changed = align(connection, run.account, ours, wishes, now)
    # What is so new that something older may still be written is looked at now, and once more later.
    last = min(found[-1].id if len(found) == _FOLLOWED_AT_ONCE else settled, settled)
    if last <= run.trail_after:
        return changed
    sync_runs.note(connection, run.account, now, trail_after=last)
    return max(changed, 1) if len(found) == _FOLLOWED_AT_ONCE else changed


def _ended(connection: Connection, run: Run, wishes: Wishes, now: datetime) -> int:
    """Take off what has run out: time changes no entry, so no row of the trail tells."""
    over = and_(listed.c.account == run.account, listed.c.until <= now, listed.c.wanted == 1)
    over &= listed.c.list.in_(_on(wishes))
    people = connection.scalars(select(listed.c.address).where(over).distinct().limit(_AT_ONCE))
    return align(connection, run.account, {bytes(one) for one in people}, wishes, now)


def align(connection: Connection, account: str, people: Iterable[bytes], wishes: Wishes, now: datetime) -> int:
    """Make these people's records ask for what our list says now; return how many records changed."""
    people = sorted(people)
    if not people:
        return 0
    wanted = _wanted(connection, account, people, wishes, now)
    known: dict[bytes, dict[Key, Any]] = defaultdict(dict)
    for row in select_in(connection, listed, "address", people, lock=True):
        if row.account == account:
            known[bytes(row.address)][row.list, row.channel, row.scope, row.source] = row
    changes: dict[Values, list[int]] = defaultdict(list)
    new: list[dict[str, Any]] = []
    dropped: list[int] = []
    for person in people:
        asked = wanted.get(person, {})
        for place, why in asked.items():
            there = known[person].get((place.list, place.channel, place.scope, place.source))
            if there is None:
                if not _covered(place, known[person].values()):
                    new.append(_new_row(account, person, place, why, now))
            elif values := _asked_again(there, why, now):
                changes[_frozen(values)].append(there.id)
        places = {(place.list, place.channel, place.scope, place.source) for place in asked}
        for key, row in known[person].items():
            if key not in places and (_is_on(row, wishes) or row.op == THEIRS):
                left = _no_longer(row, now)
                if left is None:
                    dropped.append(row.id)
                elif left:
                    changes[_frozen(left)].append(row.id)
    _write(connection, new, changes, dropped, now)
    return len(new) + len(dropped) + sum(map(len, changes.values()))


def _write(
    connection: Connection,
    new: Sequence[dict[str, Any]],
    changes: Mapping[Values, list[int]],
    dropped: Sequence[int],
    now: datetime,
) -> None:
    for made, number in zip(new, new_ids(len(new)), strict=True):
        made["id"] = number
    insert_new(connection, listed, new)
    for values, numbers in changes.items():
        rows.change(connection, numbers, now, **dict(values))
    for start in range(0, len(dropped), 500):
        connection.execute(delete(listed).where(listed.c.id.in_(dropped[start : start + 500])))


def _frozen(values: Mapping[str, Any]) -> Values:
    return tuple(sorted(values.items(), key=lambda one: one[0]))


def _on(wishes: Wishes) -> list[str]:
    on = {BLOCKLIST: wishes.blocklist, EMAIL: bool(wishes.email_domains), PUSH: wishes.push}
    return [name for name, is_on in on.items() if is_on]


def _is_on(row: Any, wishes: Wishes) -> bool:
    """Whether the record is on a list that we may write to: what is switched off is left as it is."""
    return row.list in _on(wishes) and (row.list != EMAIL or row.scope in wishes.email_domains)


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
