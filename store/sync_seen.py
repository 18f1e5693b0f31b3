"""What a read of Infobip's list makes of the records that were looked for.

Ours is only what was made there after we first asked for it, and the very record that was seen then: what stood there
before, or was made anew after somebody took ours off, is somebody else's, stays theirs, and is never taken off by us.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, func, select, update

from policy.mirror import COMPLAINT, EMAIL
from store import listed as rows
from store.listed import ADD, DOUBTED, GONE, MISSING, REMOVE, SENT, THEIRS, THERE, TO_PUSH, VERIFIED, Job
from store.moments import to_ms
from store.schema import listed
from store.vault import Vault

Key = tuple[bytes, str, str, str]
"""Address, channel, scope and source: what makes two records of a list one."""

# Their clock may be behind ours; what was made so long before our request is not of it.
_CLOCKS: Final = timedelta(minutes=2)
# Infobip suppresses a bounce by itself as it happens, which may be seconds before its report makes us ask for the same.
_CLOCKS_OF_EMAIL: Final = timedelta(seconds=2)
_PAUSES: Final = (3.0, 6.0, 30.0, 60.0, 300.0)
_MISSING_AGAIN: Final = timedelta(hours=1)
STILL_THERE: Final = "Infobip took the removal and still shows it"
NEVER_SHOWN: Final = "Infobip took it and does not show it"


@dataclass(frozen=True, slots=True)
class Seen:
    """One record as the list showed it."""

    created: datetime | None = None
    account_key: str = ""


@dataclass(slots=True)
class Settled:
    """What a look settled: how many records in which way, and whose may have to be worked out anew."""

    counts: Counter[str] = field(default_factory=Counter)
    gone: list[Any] = field(default_factory=list)
    """Rows of theirs that are proven to be gone."""

    @property
    def total(self) -> int:
        """How many records were settled or put off."""
        return self.counts.total()


def due(
    connection: Connection,
    vault: Vault,
    account: str,
    of_list: str,
    now: datetime,
    most: int,
    states: Sequence[str] = (SENT, MISSING, DOUBTED),
) -> list[Job]:
    """Return the records that are to be looked for now, with their addresses."""
    return rows.opened(connection, vault, _due(account, of_list, now, states), most)


def how_many(connection: Connection, account: str, of_list: str, now: datetime) -> int:
    """Return how many records that we asked for are to be looked for now."""
    return int(connection.scalar(select(func.count()).where(_due(account, of_list, now, (SENT, MISSING)))) or 0)


def _due(account: str, of_list: str, now: datetime, states: Sequence[str]) -> Any:
    mine = and_(listed.c.account == account, listed.c.list == of_list)
    # All that there are, named so that the index goes down to what is due.
    every = listed.c.op.in_((ADD, REMOVE, THEIRS))
    return and_(mine, listed.c.state.in_(states), every, listed.c.due_at <= now)


def known(connection: Connection, account: str, of_list: str, keys: Iterable[Key]) -> list[Any]:
    """Return the rows of these records, as far as there are any."""
    wanted = set(keys)
    people, found = sorted({key[0] for key in wanted}), []
    for start in range(0, len(people), 500):
        query = select(listed).where(listed.c.account == account, listed.c.list == of_list)
        query = query.where(listed.c.address.in_(people[start : start + 500]))
        found += [row for row in connection.execute(query) if key_of(row) in wanted]
    return found


def mark(connection: Connection, rows: Iterable[Any], seen: Mapping[Key, Seen], reading: int) -> None:
    """Note that a reading showed these rows, but for one that is to go and whose place another's record has."""
    numbers = [row.id for row in rows if row.op != REMOVE or not is_anothers(row, seen[key_of(row)])]
    for start in range(0, len(numbers), 500):
        mine = update(listed).where(listed.c.id.in_(numbers[start : start + 500]))
        connection.execute(mine.values(seen_scan=reading))


def asked_before(connection: Connection, account: str, of_list: str, moment: datetime, now: datetime) -> list[Any]:
    """Return the rows that are to be looked for now and were asked for before `moment`."""
    query = select(listed).where(_due(account, of_list, now, (SENT, MISSING)), listed.c.sent_at < moment)
    return list(connection.execute(query))


def key_of(row: Any) -> Key:
    """Return a row's key."""
    return bytes(row.address), row.channel, row.scope, row.source


def is_anothers(row: Any, shown: Seen) -> bool:
    """Whether it was made at another time than the record that was ours: then somebody took ours off, and made it."""
    known = row.created_there is not None and shown.created is not None
    return known and _ms(shown.created) != _ms(row.created_there)


def _ms(moment: Any) -> int:
    # Rows that were read by `select_in` hold milliseconds.
    return moment if isinstance(moment, int) else to_ms(moment)


def settle(
    connection: Connection,
    looked_for: Iterable[Any],
    seen: Mapping[Key, Seen],
    now: datetime,
    within: timedelta,
    scan: int,
    *,
    only_found: bool = False,
) -> Settled:
    """Write down what became of the records that were looked for. `within` is the time that Infobip has.

    `only_found`: the read was of a part of the list, and says nothing of what it did not show.
    """
    done = Settled()
    changes: dict[tuple[tuple[str, Any], ...], list[int]] = defaultdict(list)
    dropped = []
    for row in looked_for:
        shown = seen.get(key_of(row))
        if shown is None and only_found:
            continue
        if shown is not None and row.op == REMOVE and is_anothers(row, shown):
            # Ours is gone. What stands there now is not ours to take off, and the next reading takes it in.
            shown = None
        values = _found(row, shown, now, within) if shown is not None else _not_found(row, now, within)
        if values is None:
            dropped.append(row.id)
            done.counts["dropped"] += 1
            continue
        if shown is not None:
            values |= {"seen_scan": max(scan, row.seen_scan)}
            if row.op != REMOVE:
                values |= {"account_key": shown.account_key[:64], "created_there": shown.created}
        elif values.get("state") == GONE:
            done.gone.append(row)
        done.counts[str(values.get("state", "again"))] += 1
        if values.get("state") == MISSING and row.state != MISSING:
            done.counts["newly missing"] += 1
        changes[tuple(sorted(values.items(), key=lambda one: one[0]))].append(row.id)
    for frozen, numbers in changes.items():
        rows.change(connection, numbers, now, **dict(frozen))
    if dropped:
        connection.execute(delete(listed).where(listed.c.id.in_(dropped)))
    return done


def _found(row: Any, shown: Seen, now: datetime, within: timedelta) -> dict[str, Any]:
    if row.op == THEIRS:
        return {"state": THERE, "looks": 0}
    if row.op == REMOVE:
        if not row.answered and row.looks > 0:
            return {"state": TO_PUSH, "due_at": now, "looks": 0}
        if row.wanted and row.answered and now - row.sent_at > within:
            return {"op": ADD, "state": VERIFIED, "looks": 0, "note": ""}
        return _later(row, now, within, STILL_THERE)
    made_by_us = shown.created is not None and row.first_sent_at is not None and not is_anothers(row, shown)
    clocks = _CLOCKS_OF_EMAIL if row.list == EMAIL else _CLOCKS
    if not made_by_us or shown.created < row.first_sent_at - clocks:
        return {"op": THEIRS, "state": THERE, "looks": 0, "until": None, "note": ""}
    if not row.wanted and row.source != COMPLAINT:
        return {"op": REMOVE, "state": TO_PUSH, "due_at": now, "looks": 0}
    return {"state": VERIFIED, "looks": 0, "note": ""}


def _not_found(row: Any, now: datetime, within: timedelta) -> dict[str, Any] | None:
    if row.op == THEIRS:
        return {"state": GONE, "looks": 0}
    if row.op == REMOVE:
        if row.wanted:
            again = {"op": ADD, "state": TO_PUSH, "due_at": now, "first_sent_at": None, "sent_at": None}
            return {**again, "created_there": None, "looks": 0, "note": ""}
        return {"state": VERIFIED, "looks": 0, "note": ""}
    if not row.answered and row.looks > 0:
        return {"state": TO_PUSH, "due_at": now, "looks": 0, "created_there": None} if row.wanted else None
    if not row.wanted and now - row.sent_at > within:
        return None
    return _later(row, now, within, NEVER_SHOWN)


def _later(row: Any, now: datetime, within: timedelta, note: str) -> dict[str, Any]:
    """Return when to look again: soon at first; rarely once it is late, and then a person hears of it."""
    if row.answered and now - row.sent_at > within:
        return {"state": MISSING, "looks": row.looks + 1, "due_at": now + _MISSING_AGAIN, "note": note}
    pause = timedelta(seconds=_PAUSES[min(row.looks, len(_PAUSES) - 1)])
    return {"looks": row.looks + 1, "due_at": now + min(pause, max(within, timedelta(seconds=1)))}
