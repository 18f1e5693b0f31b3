"""Resends on their way out: the state machine, one row for each attempt.

    waiting -> planned -> claimed -> sending -> accepted | refused | unknown
    cancelled and expired: from waiting, planned and claimed
    observed or proposed: from planned and claimed (the policy does not let it leave by itself any more)
    planned again: from claimed (held, or its lease was lost) and from sending (proven: nothing left)
    unknown -> accepted (a report or the logs know it) | planned (the logs prove that it never was there)
    by hand (`store.steering`): planned from observed, proposed, waiting and unknown; cancelled from the same

Whoever moves a row out of `claimed` or `sending` says that it is theirs; where the row says otherwise, nothing changes
and the caller is told so. `sending` is committed before the request leaves, so a row that is still `planned` or
`claimed` has certainly not left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, select, update

from store import told
from store.budgets import Cost
from store.database import Database
from store.moments import EPOCH, Moment
from store.schema import retries

# More than twice the longest exchange with Infobip (`infobip.outbound.transport.Patience`).
LEASE: Final = timedelta(seconds=90)
PLANNED: Final = "planned"
CLAIMED: Final = "claimed"
SENDING: Final = "sending"
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"
WAITING: Final = "waiting"
CANCELLED: Final = "cancelled"
EXPIRED: Final = "expired"
# By which way a resend leaves (`retries.via`); empty is to Infobip.
APPLICATION: Final = "application"
# Why it may leave (`retries.mode`): since the policy lets resends act, or since a person let this one go.
ACT: Final = "act"
BY_HAND: Final = "by_hand"
MAY_LEAVE: Final = (ACT, BY_HAND)
# What becomes of one that was planned, by the mode to which the policy was set back since.
SET_BACK: Final = {"observe": "observed", "propose": "proposed"}
# States that the customer's own system is told of, where it wants to know.
_NEWS: Final = frozenset({WAITING, REFUSED, CANCELLED, EXPIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """One attempt, as it stood when it was claimed."""

    id: int
    account: str
    message_key: bytes
    recipient: bytes
    attempt: int
    report_id: int
    state: str
    mode: str
    rule: str
    channel: str
    due_at: datetime | None
    give_up_at: datetime
    note: str
    new_id: str
    tries: int
    posts: int
    sent_at: datetime | None
    looks: int
    first_look_at: datetime | None
    via: str = ""


def claim(database: Database, owner: str, now: datetime, most: int, lease: timedelta = LEASE) -> list[Resend]:
    """Take up to `most` resends that are due for `owner`, and commit that; the longest due first."""
    due = (retries.c.state == PLANNED) & (retries.c.due_at <= now) & retries.c.mode.in_(MAY_LEAVE)
    return database.repeat(lambda c: _take(c, due, owner, now, most, lease, state=CLAIMED))


def claim_look(database: Database, owner: str, now: datetime, most: int, lease: timedelta = LEASE) -> list[Resend]:
    """Take up to `most` resends of unknown outcome whose time to be looked up has come."""
    due = (retries.c.state == UNKNOWN) & (retries.c.due_at <= now) & (retries.c.lease_until <= now)
    return database.repeat(lambda c: _take(c, due, owner, now, most, lease, state=UNKNOWN))


def _take(
    connection: Connection,
    due: ColumnElement[bool],
    owner: str,
    now: datetime,
    most: int,
    lease: timedelta,
    *,
    state: str,
) -> list[Resend]:
    query: Select[Any] = select(retries.c.id).where(due).order_by(retries.c.due_at, retries.c.id).limit(most)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    ids = list(connection.scalars(query))
    if not ids:
        return []
    taken = update(retries).where(retries.c.id.in_(ids)).values(state=state, owner=owner, lease_until=now + lease)
    rows = connection.execute(taken.returning(retries)).all()
    return sorted((_resend(row) for row in rows), key=lambda one: (one.due_at or EPOCH, one.id))


def recover(connection: Connection, now: datetime) -> tuple[int, int]:
    """Take back what dead workers held: what was claimed is planned again, what was being sent is unknown.

    Returns how many of each.
    """
    lost = retries.c.lease_until <= now
    claimed = update(retries).where(retries.c.state == CLAIMED, lost)
    back = connection.execute(claimed.values(state=PLANNED, owner="", changed_at=now)).rowcount
    sending = update(retries).where(retries.c.state == SENDING, lost)
    note = "its worker ended while it was being sent; Infobip's logs are asked"
    values = {"state": UNKNOWN, "owner": "", "due_at": now, "changed_at": now, "note": note}
    return back, connection.execute(sending.values(**values)).rowcount


def start(
    connection: Connection,
    one: Resend,
    owner: str,
    now: datetime,
    *,
    new_id: str,
    cost: Cost,
    reached: bytes,
    via: str = "",
    lease: timedelta = LEASE,
) -> bool:
    """Say that the request leaves now, to the address with the hash `reached`.

    Whether it may: False where another worker has taken it over.
    """
    values: dict[str, Any] = {
        "new_id": new_id,
        "posts": retries.c.posts + 1,
        "sent_at": now,
        "lease_until": now + lease,
        "cost_micros": cost.micros,
        "currency": cost.currency,
        "via": via,
        "reached": reached,
        "note": "",
    }
    return _move(connection, one, owner, (CLAIMED,), SENDING, now, **values)


def give_back(connection: Connection, claimed: Sequence[Resend], owner: str, now: datetime) -> None:
    """Give back at once what was claimed and not begun, to be sent or to be looked up."""
    mine = retries.c.id.in_([one.id for one in claimed]) & (retries.c.owner == owner)
    planned = update(retries).where(mine, retries.c.state == CLAIMED)
    connection.execute(planned.values(state=PLANNED, owner="", changed_at=now))
    connection.execute(update(retries).where(mine, retries.c.state == UNKNOWN).values(owner="", lease_until=EPOCH))


def hold(connection: Connection, one: Resend, owner: str, now: datetime, until: datetime, note: str) -> bool:
    """Give a claimed resend back until then."""
    return _move(connection, one, owner, (CLAIMED,), PLANNED, now, owner_after="", due_at=until, note=note)


def wait(connection: Connection, one: Resend, owner: str, now: datetime, note: str) -> bool:
    """Put a claimed resend aside until somebody has done what `note` asks for."""
    return _move(connection, one, owner, (CLAIMED,), WAITING, now, owner_after="", note=note)


def end(connection: Connection, one: Resend, owner: str, now: datetime, state: str, note: str) -> bool:
    """End a claimed resend as `cancelled` or `expired`."""
    return _move(connection, one, owner, (CLAIMED,), state, now, owner_after="", note=note)


def did_not_leave(connection: Connection, one: Resend, owner: str, now: datetime, until: datetime, note: str) -> bool:
    """Plan a resend again of which nothing was processed: it counts for no cap and no budget."""
    before = retries.c.posts > 1  # it may have left once before this
    values = {
        "due_at": until,
        "note": note,
        "tries": retries.c.tries + 1,
        "posts": retries.c.posts - 1,
        "sent_at": case((before, retries.c.sent_at), else_=None),
        "cost_micros": case((before, retries.c.cost_micros), else_=0),
    }
    return _move(connection, one, owner, (SENDING,), PLANNED, now, owner_after="", **values)


def accepted(connection: Connection, one: Resend, now: datetime, note: str = "") -> bool:
    """Infobip has it. That is knowledge, whoever holds the row by now."""
    known = (retries.c.id == one.id) & retries.c.state.in_((SENDING, UNKNOWN))
    values = {"state": ACCEPTED, "owner": "", "due_at": None, "note": note, "changed_at": now}
    done = connection.execute(update(retries).where(known).values(**values)).rowcount == 1
    if done:
        told.resends_changed(connection, [one.id], now)
    return done


def refused(connection: Connection, one: Resend, owner: str, now: datetime, note: str) -> bool:
    """Infobip did not take it, and the same would be refused again."""
    return _move(connection, one, owner, (SENDING, UNKNOWN), REFUSED, now, owner_after="", due_at=None, note=note)


def doubtful(connection: Connection, one: Resend, owner: str, now: datetime, look_at: datetime, note: str) -> bool:
    """Nobody knows whether Infobip has it: the logs are asked from `look_at` on."""
    return _move(connection, one, owner, (SENDING,), UNKNOWN, now, owner_after="", due_at=look_at, note=note)


def looked(
    connection: Connection, one: Resend, owner: str, now: datetime, look_at: datetime | None, note: str, *, read: bool
) -> bool:
    """Note that the logs did not show it (`read`), or told nothing; `look_at` None leaves it to the operator."""
    values: dict[str, Any] = {"due_at": look_at, "note": note, "lease_until": EPOCH}
    if read:
        first = func.coalesce(retries.c.first_look_at, literal(now, Moment()))
        values |= {"looks": retries.c.looks + 1, "first_look_at": first}
    return _move(connection, one, owner, (UNKNOWN,), UNKNOWN, now, owner_after="", **values)


def again(connection: Connection, one: Resend, owner: str, now: datetime) -> bool:
    """Plan once more, under the same id, what the logs have proven never to have been there."""
    note = "Infobip's logs do not show it: it is posted once more under the same id"
    values = {"due_at": now, "note": note, "looks": 0, "first_look_at": None}
    return _move(connection, one, owner, (UNKNOWN,), PLANNED, now, owner_after="", **values)


def repeat(connection: Connection, one: Resend, owner: str, now: datetime, until: datetime, note: str) -> bool:
    """Plan once more what left for a receiver that knows repetitions by their id: asking it again is no harm."""
    values = {"due_at": until, "note": note, "tries": retries.c.tries + 1}
    return _move(connection, one, owner, (SENDING, UNKNOWN), PLANNED, now, owner_after="", **values)


def rename(connection: Connection, one: Resend, new_id: str) -> None:
    """Note the message id that whoever sent it gave it."""
    connection.execute(update(retries).where(retries.c.id == one.id).values(new_id=new_id))


def take_up(connection: Connection, accounts: Sequence[str], note: str, now: datetime) -> int:
    """Plan the resends of these accounts that wait for what `note` says, since they can do without it now."""
    mine = retries.c.account.in_(sorted(accounts)) & (retries.c.state == WAITING) & (retries.c.note == note)
    waiting = update(retries).where(mine, retries.c.due_at.is_not(None), retries.c.mode.in_(MAY_LEAVE))
    return connection.execute(waiting.values(state=PLANNED, note="", changed_at=now)).rowcount


def settle(connection: Connection, attempts: Sequence[tuple[str, bytes, int]], now: datetime) -> int:
    """A report on (account, message, attempt) proves that Infobip has it, whatever was thought to be known of it."""
    count = 0
    for account, message_key, attempt in sorted(set(attempts)):
        mine = (retries.c.account == account) & (retries.c.message_key == message_key) & (retries.c.attempt == attempt)
        # What was given up in doubt had left all the same.
        given_up = retries.c.state.in_((CANCELLED, EXPIRED)) & (retries.c.posts > 0)
        # Planned again, since an answer said that nothing was processed or the logs did not show it: it left all the
        # same, and must not leave once more.
        again = retries.c.state.in_((PLANNED, CLAIMED, WAITING, *SET_BACK.values())) & (retries.c.new_id != "")
        known = update(retries).where(mine, retries.c.state.in_((SENDING, UNKNOWN)) | given_up | again)
        values = {"state": ACCEPTED, "owner": "", "due_at": None, "note": "a report proves it", "changed_at": now}
        proven = list(connection.scalars(known.values(**values).returning(retries.c.id)))
        told.resends_changed(connection, proven, now)
        count += len(proven)
    return count


def latest_attempt(connection: Connection, account: str, message_key: bytes) -> int:
    """Return the number of the furthest attempt that was planned for a message; 0 where there is none."""
    mine = (retries.c.account == account) & (retries.c.message_key == message_key)
    alive = retries.c.state.not_in((CANCELLED, EXPIRED))
    return int(connection.scalar(select(func.coalesce(func.max(retries.c.attempt), 0)).where(mine, alive)) or 0)


def _move(
    connection: Connection,
    one: Resend,
    owner: str,
    before: tuple[str, ...],
    after: str,
    now: datetime,
    *,
    owner_after: str | None = None,
    **values: Any,
) -> bool:
    """Move a row that is this owner's and in one of the states `before`. Whether it was."""
    mine = (retries.c.id == one.id) & (retries.c.owner == owner) & retries.c.state.in_(before)
    changed = {"state": after, "owner": owner if owner_after is None else owner_after, "changed_at": now, **values}
    moved = connection.execute(update(retries).where(mine).values(**changed)).rowcount == 1
    if moved and after in _NEWS:
        told.resends_changed(connection, [one.id], now)
    return moved


def _resend(row: Any) -> Resend:
    wanted = row._mapping
    return Resend(**{name: wanted[name] for name in Resend.__dataclass_fields__})
