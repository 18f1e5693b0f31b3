"""Take in what Infobip's Blocklist shows: its records, the entries that follow, and what is gone there again."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select, update

from policy.mirror import BLOCKLIST, INFOBIP, OURS, OWN_STOPS, Wishes
from store import listed as rows
from store import people, protections, silencing, suppressions, sync_align
from store.ids import new_ids
from store.listed import ADD, DOUBTED, GONE, MISSING, REMOVE, SENT, THEIRS, THERE, VERIFIED
from store.moments import EPOCH, to_ms
from store.schema import listed
from store.schema import suppressions as table
from store.suppressions import ACTIVE, DECIDED, STANDING, Entry
from store.sync_runs import Run
from store.sync_seen import Key, Seen, key_of, mark, settle
from store.vault import Vault
from store.writes import insert_new, select_in

WHO: Final = "sync"
CAUSE: Final = "recipient_blocklisted"
RULE: Final = "infobips-blocklist"
_GONE: Final = "taken off Infobip's blocklist"
_MANY: Final = 50
_SHARE: Final = 0.2
_AFTER: Final = timedelta(milliseconds=1)
_THEIRS_THERE: Final = (listed.c.op == THEIRS) & (listed.c.state == THERE)
_OURS_THERE: Final = (listed.c.op == ADD) & (listed.c.state == VERIFIED)


@dataclass(frozen=True, slots=True)
class Told:
    """One record of their list. `entry` is what it means here; nothing where our list cannot say it."""

    key: Key
    address: str = field(repr=False)
    seen: Seen
    entry: Entry | None


def entry_of_theirs(account: str, key: Key, since: datetime) -> Entry:
    """Return the entry of a record that somebody put there over the portal or the API: no person's own word."""
    address, channel, sender, _ = key
    return Entry(
        account=account,
        address=address,
        channel=channel,
        sender=sender,
        campaign="",
        purpose="all",
        cause=CAUSE,
        rule=RULE,
        origin=INFOBIP,
        state=ACTIVE,
        since=since,
        until=None,
        evidence={"list": "Infobip's blocklist", "source": OURS, "at": since.isoformat()},
        held_by=DECIDED,
    )


def take(
    connection: Connection,
    vault: Vault,
    run: Run,
    told: Sequence[Told],
    now: datetime,
    within: timedelta,
) -> Counter[str]:
    """Take in a part of the list; return how many records were new, known, ours, back, and not to be said here."""
    # Records of sub-accounts may share a key: the newest counts.
    by_key = {one.key: one for one in sorted(told, key=lambda one: one.seen.created or EPOCH)}
    people = sorted({one.key[0] for one in told})
    known = {
        key_of(row): row
        for row in select_in(connection, listed, "address", people, lock=True)
        if row.account == run.account and row.list == BLOCKLIST
    }
    # Times come as milliseconds from this way of reading; what settles them wants them as such.
    ours = {key for key, row in known.items() if row.op in (ADD, REMOVE)}
    reading = run.scan + 1
    done: Counter[str] = Counter()
    fresh, back, seen_again = [], [], []
    for one in by_key.values():
        row = known.get(one.key)
        if row is None:
            fresh.append(one)
        elif one.key in ours and not _is_news(row, one.seen):
            done["ours"] += 1
        elif row.op == THEIRS and row.state != GONE:
            done["known"] += 1
            seen_again.append(row.id)
        else:
            back.append((row.id, one))
    seen = {key: one.seen for key, one in by_key.items()}
    settle(connection, _read(connection, known, ours, seen), seen, now, within, reading, only_found=True)
    mark(connection, [known[key] for key in ours if key in seen], seen, reading)
    rows.change(connection, seen_again, now, seen_scan=reading, state=THERE)
    for number, one in back:
        rows.change(connection, [number], now, **_theirs(one, reading))
    entered = _enter(connection, vault, run.account, [*fresh, *(one for _, one in back)], now)
    insert_new(connection, listed, _new_rows(run.account, fresh, entered, reading, now))
    done.update({"new": len(fresh), "back": len(back), "entered": len({address for address, _, _ in entered})})
    done["not said here"] = sum(one.entry is None for one in fresh)
    return done


def _is_newer(row: Any, seen: Seen) -> bool:
    """Whether it was made after the record that was ours: then it is somebody else's."""
    known = seen.created is not None and row.created_there is not None
    return known and to_ms(seen.created) > row.created_there  # type: ignore[arg-type]


def _is_news(row: Any, seen: Seen) -> bool:
    """Whether a record that we had taken off is there again since: then somebody else put it there."""
    return row.op == REMOVE and row.state == VERIFIED and _is_newer(row, seen)


def _read(connection: Connection, known: Mapping[Key, Any], ours: Iterable[Key], seen: Mapping[Key, Seen]) -> list[Any]:
    """Return those of our records that were looked for and that the list shows, and those that are no longer ours."""
    found = [(known[key], seen[key]) for key in ours if key in seen]
    # While a removal is on its way, that the record is still there is nothing new.
    numbers = [
        row.id
        for row, shown in found
        if row.op == ADD and (row.state in (SENT, MISSING) or (row.state == VERIFIED and _is_newer(row, shown)))
    ]
    return list(connection.execute(select(listed).where(listed.c.id.in_(numbers)))) if numbers else []


def _theirs(one: Told, reading: int) -> dict[str, Any]:
    return {
        "op": THEIRS,
        "state": THERE,
        "seen_scan": reading,
        "created_there": one.seen.created,
        "account_key": one.seen.account_key[:64],
        "note": "",
        "looks": 0,
    }


def _new_rows(
    account: str, fresh: Sequence[Told], entered: Mapping[tuple[bytes, str, str], int], reading: int, now: datetime
) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "account": account,
            "list": BLOCKLIST,
            "address": one.key[0],
            "channel": one.key[1],
            "scope": one.key[2],
            "source": one.key[3],
            "wanted": 0,
            "suppression_id": 0 if one.entry is None else entered.get(_said(one.entry), 0),
            "until": None,
            "due_at": EPOCH,
            "batch": 0,
            "answered": 0,
            "attempts": 0,
            "first_sent_at": None,
            "sent_at": None,
            "changed_at": now,
            **_theirs(one, reading),
        }
        for number, one in zip(new_ids(len(fresh)), fresh, strict=True)
    ]


def _said(entry: Entry) -> tuple[bytes, str, str]:
    return entry.address, entry.scope, entry.cause


def _enter(
    connection: Connection, vault: Vault, account: str, told: Sequence[Told], now: datetime
) -> dict[tuple[bytes, str, str], int]:
    """Enter what the records mean here; return the ids of these people's entries by address, scope and cause."""
    entries = [one.entry for one in told if one.entry is not None]
    kept = protections.protected(connection, {(account, entry.address) for entry in entries}, now)
    entries = [entry for entry in entries if entry.is_firm or (account, entry.address) not in kept]
    taken = {entry.address for entry in entries}
    addresses = {one.key[0]: (one.address, to_ms(now)) for one in told if one.key[0] in taken}
    people.keep(connection, vault, addresses)
    suppressions.suppress(connection, entries, now, WHO)
    wanted = {_said(entry) for entry in entries}
    written = [row for row in select_in(connection, table, "address", sorted(taken)) if row.account == account]
    numbers = {(bytes(row.address), row.scope, row.cause): row.id for row in written}
    silencing.silence(connection, entries, now)
    return {said: numbers[said] for said in wanted if said in numbers}


def unseen(connection: Connection, run: Run) -> tuple[list[int], int]:
    """Return the ids of what stood there and the whole reading did not show, and how much there was. It only reads."""
    standing = (listed.c.account == run.account) & (listed.c.list == BLOCKLIST)
    standing &= _THEIRS_THERE | _OURS_THERE
    missing = standing & (listed.c.seen_scan < run.scan + 1)
    if run.scan_started_at is not None:
        # What was put there while the list was read may stand on a page that was read before.
        missing &= listed.c.changed_at < run.scan_started_at
    total = int(connection.scalar(select(func.count()).where(standing)) or 0)
    return list(connection.scalars(select(listed.c.id).where(missing))), total


def are_too_many(missing: int, total: int, run: Run) -> bool:
    """Whether so much is gone that nothing is doubted until a person allows it.

    A list that was emptied by mistake, or another account's credential, must not lift thousands.
    """
    return missing > _MANY and missing > _SHARE * total and not run.doubts_allowed


def doubt(connection: Connection, numbers: Sequence[int], now: datetime) -> None:
    """Doubt records: each is looked for by itself before anything follows."""
    these = listed.c.id.in_(numbers)
    connection.execute(update(listed).where(these, _THEIRS_THERE).values(state=DOUBTED, due_at=now, looks=0))
    ours = update(listed).where(these, _OURS_THERE)
    connection.execute(ours.values(state=SENT, answered=1, due_at=now, looks=0, changed_at=now))


def gone(connection: Connection, account: str, records: Sequence[Any], wishes: Wishes, now: datetime) -> Counter[str]:
    """Draw the conclusion from records of theirs that are proven to be gone there.

    What somebody put on their list and took off again is lifted here. A person's own stop is not: that it is no longer
    on a list is nobody's opt-in (an UNBLOCK event is, and it lifts by itself).
    """
    done: Counter[str] = Counter()
    lifts = []
    for row in records:
        if row.source in OWN_STOPS:
            done["own stops"] += 1
            continue
        key = (bytes(row.address), row.channel, row.scope, row.source)
        entry = entry_of_theirs(account, key, now)
        found = suppressions.find(connection, entry)
        if found is not None and found.origin == INFOBIP and found.state in STANDING:
            # When it was taken off nobody knows but that it was after it stood there, and by whose clock that counts.
            lifts.append((found.id, max(found.event_at, row.created_there or found.event_at) + _AFTER))
    done["lifted"] = suppressions.lift(connection, lifts, now, WHO, _GONE)
    # What a record of theirs blocked already may need one of ours now.
    sync_align.align(connection, account, {bytes(row.address) for row in records}, wishes, now)
    return done
