"""Resends moved by a person, beside running workers.

Every change names the states that it may start from, so a row that has moved on meanwhile, or that a worker holds just
now, stays as it is; the caller is told which rows were moved, and asks about the others.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, or_, select, update

from policy.leaving import PAUSED, STOPPED
from store import retries as planning
from store import sends
from store.parts import in_parts
from store.pauses import ALL, Scope
from store.resending import BY_HAND, CANCELLED, PLANNED, SENDING, UNKNOWN, WAITING, Resend
from store.schema import aliases, messages, retries
from store.views import Wanted, retry_conditions

OBSERVED: Final = "observed"
PROPOSED: Final = "proposed"
# What a person may make due now; what is in doubt only where somebody has looked it up (`post_again`).
STARTABLE: Final = (OBSERVED, PROPOSED, WAITING, PLANNED)
STOPPABLE: Final = (*STARTABLE, UNKNOWN)
# What is not over: it has not left, or nobody knows yet whether it did.
NOT_OVER: Final = (*planning.OPEN, SENDING, UNKNOWN)


def find(connection: Connection, numbers: Iterable[int]) -> dict[int, Resend]:
    """Return the resends with these ids, as far as there are such."""
    columns = [retries.c[name] for name in Resend.__dataclass_fields__]
    found = {}
    for part in in_parts(sorted(set(numbers))):
        for row in connection.execute(select(*columns).where(retries.c.id.in_(part))):
            found[row.id] = Resend(**row._mapping)
    return found


def named(connection: Connection, text: str, keys: Sequence[bytes]) -> list[int]:
    """Return the ids of the resends that `text` names: by the id of one, by the message id that one attempt has, or by
    that of a message. `keys` are the keys that `text` has as a message id without recipient, one for each account.
    """
    if text.isascii() and text.isdecimal() and len(text) < 20:
        own = list(connection.scalars(select(retries.c.id).where(retries.c.id == int(text))))
        if own:
            return own
    alias = select(aliases.c.account, aliases.c.message_key, aliases.c.attempt).where(aliases.c.key.in_(keys))
    one = [
        (retries.c.account == row.account)
        & (retries.c.message_key == row.message_key)
        & (retries.c.attempt == row.attempt)
        for row in connection.execute(alias)
    ]
    mine = select(messages.c.account, messages.c.key).where(messages.c.message_id == text[:255])
    whole = [
        (retries.c.account == row.account) & (retries.c.message_key == row.key) for row in connection.execute(mine)
    ]
    wanted = one or whole
    if not wanted:
        return []
    query = select(retries.c.id).where(or_(*wanted))
    return list(connection.scalars(query.order_by(retries.c.message_key, retries.c.attempt)))


def chosen(connection: Connection, wanted: Wanted) -> list[int]:
    """Return the ids of all resends that fit, the next due first; the limit aside, as `store.views` lists them."""
    query: Select[Any] = select(retries.c.id).outerjoin(messages, messages.c.key == retries.c.message_key)
    query = query.where(*retry_conditions(wanted))
    return list(connection.scalars(query.order_by(retries.c.due_at, retries.c.id)))


def cancel(connection: Connection, numbers: Sequence[int], now: datetime, note: str) -> set[int]:
    """Cancel those of these resends that no worker holds, and erase what they would have said; return which.

    One in doubt is left as it is: should a report tell that it arrived, it counts as accepted after all.
    """
    done: dict[int, tuple[str, bytes]] = {}
    for part in in_parts(numbers):
        mine = update(retries).where(retries.c.id.in_(part), retries.c.state.in_(STOPPABLE), _free(now))
        changed = mine.values(state=CANCELLED, owner="", note=note, changed_at=now)
        returned = changed.returning(retries.c.id, retries.c.account, retries.c.message_key)
        done |= {row.id: (row.account, row.message_key) for row in connection.execute(returned)}
    accounts = sorted({account for account, _ in done.values()})
    for keys in in_parts(sorted({key for _, key in done.values()})):
        # The account is what the table's key begins with: without it, every resend that is not over would be read.
        theirs = retries.c.account.in_(accounts) & retries.c.message_key.in_(keys)
        states = connection.execute(select(retries.c.message_key, retries.c.state).where(theirs))
        needed = {row.message_key for row in states if row.state in NOT_OVER}
        sends.erase_of(connection, set(keys) - needed)
    return set(done)


def start(connection: Connection, numbers: Sequence[int], now: datetime, note: str) -> set[int]:
    """Make those of these resends due now that have not left, and let them act; return which.

    All that is asked at the last moment is asked all the same.
    """
    done: set[int] = set()
    for part in in_parts(numbers):
        mine = update(retries).where(retries.c.id.in_(part), retries.c.state.in_(STARTABLE), _free(now))
        changed = mine.values(state=PLANNED, mode=BY_HAND, owner="", due_at=now, note=note, changed_at=now)
        done |= set(connection.scalars(changed.returning(retries.c.id)))
    return done


def post_again(connection: Connection, number: int, now: datetime, note: str) -> bool:
    """Plan once more, under the same id, what somebody has looked up and did not find at Infobip.

    Whether it was still in doubt, and no worker looked it up at that moment.
    """
    mine = update(retries).where(retries.c.id == number, retries.c.state == UNKNOWN, _free(now))
    values: dict[str, Any] = {"state": PLANNED, "mode": BY_HAND, "owner": "", "due_at": now, "looks": 0}
    values |= {"first_look_at": None, "note": note, "changed_at": now}
    return connection.execute(mine.values(**values)).rowcount == 1


def release(connection: Connection, account: str, scope: Scope, now: datetime) -> int:
    """Make due what a pause that is lifted had put off to its end; return how many. An empty account: all accounts."""
    why = f"{STOPPED}: " if scope.kind == ALL else f"{PAUSED}: {scope}: "
    held = (retries.c.state == PLANNED) & retries.c.note.startswith(why, autoescape=True) & (retries.c.due_at > now)
    if account:
        held &= retries.c.account == account
    return connection.execute(update(retries).where(held).values(due_at=now, note="", changed_at=now)).rowcount


def _free(now: datetime) -> ColumnElement[bool]:
    """Whether no worker holds the row: nobody does, or its lease is over, and what it still does changes nothing."""
    return (retries.c.owner == "") | (retries.c.lease_until <= now)
