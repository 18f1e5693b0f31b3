"""Records of Infobip's lists: what is to be put there or taken off, what was asked for, and what came of it.

A row is written before its request leaves. `to_push` is claimed as `sent` under the number of the request; only a
later read of the list makes it `verified`. What was claimed by a worker that died is looked for, and only pushed again
where it is not there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, case, delete, func, or_, select, update

from store import people
from store.ids import new_id
from store.schema import listed
from store.vault import Vault

ADD: Final = "add"
REMOVE: Final = "remove"
THEIRS: Final = ""

TO_PUSH: Final = "to_push"
SENT: Final = "sent"
VERIFIED: Final = "verified"
MISSING: Final = "missing"
REFUSED: Final = "refused"
THERE: Final = "there"
DOUBTED: Final = "doubted"
GONE: Final = "gone"
STATES: Final = (TO_PUSH, SENT, VERIFIED, MISSING, REFUSED)

FIRST_LOOK: Final = timedelta(seconds=3)
"""After an answer: Infobip makes its changes a little later."""
_UNANSWERED_LOOK: Final = timedelta(seconds=5)
"""After a claim whose answer never came: longer than a request takes to be made there, mostly."""
FORGOTTEN: Final = "its address is no longer kept here; look for it in Infobip's portal"


@dataclass(frozen=True, slots=True)
class Job:
    """One row with its address in clear."""

    row: Any = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request is about to carry."""

    number: int
    op: str
    jobs: tuple[Job, ...]


def claim(
    connection: Connection,
    account: str,
    of_list: str,
    op: str,
    now: datetime,
    most: int,
    group: Mapping[str, str] | None = None,
) -> int:
    """Take up to `most` rows that wait to leave: from now on they count as sent, whatever becomes of this process.

    `group` bounds them to one `scope` and `source`. Returns the number of the request that they are for.
    """
    waiting = _waiting(account, of_list, op, now)
    for name, value in (group or {}).items():
        waiting = waiting.where(listed.c[name] == value)
    number = new_id()
    taken = update(listed).where(listed.c.id.in_(waiting.order_by(listed.c.due_at, listed.c.id).limit(most)))
    taken = taken.where(listed.c.state == TO_PUSH)
    connection.execute(
        taken.values(
            state=SENT,
            batch=number,
            answered=0,
            looks=0,
            attempts=listed.c.attempts + 1,
            sent_at=now,
            first_sent_at=func.coalesce(listed.c.first_sent_at, bindparam("first", now, type_=listed.c.sent_at.type)),
            due_at=now + _UNANSWERED_LOOK,
            note="",
            changed_at=now,
        )
    )
    return number


def batch_of(connection: Connection, vault: Vault, number: int, op: str) -> Batch:
    """Return what was claimed under this number. It only reads: opening thousands of addresses takes its time."""
    claimed = (listed.c.batch == number) & (listed.c.state == SENT)
    return Batch(number, op, tuple(opened(connection, vault, claimed)))


def _waiting(account: str, of_list: str, op: str, now: datetime) -> Any:
    return select(listed.c.id).where(
        listed.c.account == account,
        listed.c.list == of_list,
        listed.c.state == TO_PUSH,
        listed.c.op == op,
        listed.c.due_at <= now,
    )


def next_group(connection: Connection, account: str, of_list: str, op: str, now: datetime) -> dict[str, str] | None:
    """Return scope and source of the row that waits longest, or nothing where none waits."""
    waiting = _waiting(account, of_list, op, now).with_only_columns(listed.c.scope, listed.c.source)
    row = connection.execute(waiting.order_by(listed.c.due_at).limit(1)).first()
    return None if row is None else {"scope": row.scope, "source": row.source}


def opened(connection: Connection, vault: Vault, condition: Any, most: int | None = None) -> list[Job]:
    """Return rows with their addresses, which are empty where they are no longer kept."""
    rows = connection.execute(select(listed).where(condition).order_by(listed.c.due_at).limit(most)).all()
    found = people.opened(connection, vault, (row.address for row in rows))
    return [Job(row, found.get(row.address, "")) for row in rows]


def accepted(connection: Connection, batch: int, now: datetime) -> None:
    """Note that Infobip took the request."""
    _settle(connection, batch, now, answered=1, due_at=now + FIRST_LOOK)


def give_back(connection: Connection, batch: int, now: datetime, wait: timedelta) -> None:
    """Note that nothing of the request was taken: its rows wait as if they had not been claimed."""
    _settle(connection, batch, now, state=TO_PUSH, attempts=listed.c.attempts - 1, due_at=now + wait)
    never = update(listed).where(listed.c.batch == batch, listed.c.state == TO_PUSH, listed.c.attempts == 0)
    connection.execute(never.values(first_sent_at=None, sent_at=None))


def _settle(connection: Connection, batch: int, now: datetime, **values: Any) -> None:
    mine = update(listed).where(listed.c.batch == batch, listed.c.state == SENT, listed.c.answered == 0)
    connection.execute(mine.values(changed_at=now, **values))


def refuse(connection: Connection, batch: int, reasons: Mapping[int, str], now: datetime) -> None:
    """Note which rows of a request Infobip does not take, and why; nothing of the others was taken either."""
    if not reasons:
        return
    mine = update(listed).where(listed.c.id == bindparam("of"), listed.c.batch == batch, listed.c.state == SENT)
    mine = mine.values(state=REFUSED, answered=1, changed_at=now, note=bindparam("why"))
    connection.execute(mine, [{"of": number, "why": why[:300]} for number, why in sorted(reasons.items())])


def change(connection: Connection, numbers: Sequence[int], now: datetime, **values: Any) -> int:
    """Set columns of these rows; return how many there were."""
    done = 0
    for start in range(0, len(numbers), 500):
        mine = update(listed).where(listed.c.id.in_(numbers[start : start + 500]))
        done += connection.execute(mine.values(changed_at=now, **values)).rowcount
    return done


def again(connection: Connection, account: str, now: datetime) -> int:
    """Let what was refused, or never showed, be tried anew; return how much that is."""
    mine = update(listed).where(
        listed.c.account == account, listed.c.op != THEIRS, listed.c.state.in_((MISSING, REFUSED))
    )
    # What is put there by the new request is ours, whenever what was seen before was made.
    made = case((listed.c.op == ADD, None), else_=listed.c.created_there)
    again = mine.values(state=TO_PUSH, due_at=now, note="", looks=0, created_there=made, changed_at=now)
    return connection.execute(again).rowcount


def forget(connection: Connection, people: Sequence[bytes], entries: Sequence[int]) -> int:
    """Delete what is known of forgotten people's records, where nothing of them stands there; return how many went.

    What may still stand there stays, and so does what one of `entries` asks for, those that stay themselves.
    """
    left = (listed.c.op == REMOVE) & (listed.c.state == VERIFIED)
    theirs = (listed.c.op == THEIRS) & (listed.c.state == GONE)
    never = (listed.c.state == REFUSED) | ((listed.c.state == TO_PUSH) & listed.c.first_sent_at.is_(None))
    asked = (listed.c.wanted == 1) & listed.c.suppression_id.in_(entries)
    over = or_(left, theirs, (listed.c.op == ADD) & never & ~asked)
    return connection.execute(delete(listed).where(listed.c.address.in_(people), over)).rowcount


def count_of(connection: Connection, people: Sequence[bytes]) -> int:
    """Return how many records of these people are known."""
    query = select(func.count()).select_from(listed).where(listed.c.address.in_(people))
    return int(connection.scalar(query) or 0)


def counts(connection: Connection) -> dict[tuple[str, str, str, str], int]:
    """Return how many rows there are, by account, list, op and state."""
    columns = (listed.c.account, listed.c.list, listed.c.op, listed.c.state)
    query = select(*columns, func.count()).group_by(*columns)
    return {(account, name, op, state): count for account, name, op, state, count in connection.execute(query)}


def refusals(connection: Connection, account: str, most: int = 5) -> dict[str, int]:
    """Return the commonest reasons of refusals."""
    number = func.count().label("number")
    query = select(listed.c.note, number).where(listed.c.account == account, listed.c.state == REFUSED)
    found = connection.execute(query.group_by(listed.c.note).order_by(number.desc()).limit(most))
    return {row.note: row.number for row in found}
