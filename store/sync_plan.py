"""Which people's records have to be worked out anew, a page at a time.

First all entries are gone through once, then the audit trail is followed, which has a row for every change. How far
that is stands in the database; it moves on only with the rows that the page led to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, select

from policy.mirror import EMAIL, Wishes
from store.ids import first_id_of
from store.moments import to_ms
from store.schema import listed, suppression_audit, suppressions
from store.sync_align import astray, lists_on
from store.sync_runs import WALKED, Run

_AT_ONCE: Final = 1_000
_FOLLOWED_AT_ONCE: Final = 4_000
WRITTEN_AT_ONCE: Final = 250
"""People in one transaction: callbacks that arrive wait for it on SQLite."""
# Changes are written under ids made a little earlier, maybe on a host whose clock is behind.
_LATE: Final = timedelta(minutes=2)
_WALK_AGAIN: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Step:
    """A page: whose records are to be changed, how far that goes, and whether there is more."""

    people: Sequence[bytes]
    reached: dict[str, Any] = field(default_factory=dict)
    more: bool = False


def next_step(connection: Connection, run: Run, wishes: Wishes, signature: str, now: datetime) -> Step:
    """Return what is to be done next. It only reads."""
    if run.signature != signature or run.walked_at is None or now - run.walked_at > _WALK_AGAIN:
        # What changes from here on is followed; what changed before is gone through now.
        start = {"signature": signature, "walked_at": now, "trail_after": first_id_of(to_ms(now - _LATE))}
        return _walk(connection, run.account, 0, wishes, now, start)
    if run.walk_after != WALKED:
        return _walk(connection, run.account, run.walk_after, wishes, now, {})
    ended = _ended(connection, run, wishes, now)
    return ended if ended.people else _trail(connection, run, wishes, now)


def _walk(
    connection: Connection, account: str, after: int, wishes: Wishes, now: datetime, reached: dict[str, Any]
) -> Step:
    # In order of ids, with other accounts' entries between: an account's own are in no such order in any index, and
    # sorting them all for each page takes the square of their number.
    query = select(suppressions.c.id, suppressions.c.account, suppressions.c.address)
    query = query.where(suppressions.c.id > after)
    found = connection.execute(query.order_by(suppressions.c.id).limit(_AT_ONCE)).all()
    ours = {bytes(row.address) for row in found if row.account == account}
    people = astray(connection, account, ours, wishes, now)
    full = len(found) == _AT_ONCE
    return Step(sorted(people), {**reached, "walk_after": found[-1].id if full else WALKED}, full)


def _trail(connection: Connection, run: Run, wishes: Wishes, now: datetime) -> Step:
    settled = first_id_of(to_ms(now - _LATE))
    query = select(suppression_audit.c.id, suppressions.c.account, suppressions.c.address)
    query = query.join(suppressions, suppressions.c.id == suppression_audit.c.suppression_id)
    query = query.where(suppression_audit.c.id > run.trail_after).order_by(suppression_audit.c.id)
    found = connection.execute(query.limit(_FOLLOWED_AT_ONCE)).all()
    ours = {bytes(row.address) for row in found if row.account == run.account}
    people = astray(connection, run.account, ours, wishes, now)
    # What is so new that something older may still be written is looked at now, and once more later.
    full = len(found) == _FOLLOWED_AT_ONCE
    last = min(found[-1].id if full else settled, settled)
    return Step(
        sorted(people),
        {"trail_after": last} if last > run.trail_after else {},
        more=full and last == found[-1].id,
    )


def _ended(connection: Connection, run: Run, wishes: Wishes, now: datetime) -> Step:
    """Return who is on a list over an entry that has run out: time changes no entry, so no row of the trail tells."""
    over = and_(listed.c.account == run.account, listed.c.until <= now, listed.c.wanted == 1)
    over &= listed.c.list.in_(lists_on(wishes))
    over &= (listed.c.list != EMAIL) | listed.c.scope.in_(wishes.email_domains)
    people = connection.scalars(select(listed.c.address).where(over).distinct().limit(_AT_ONCE))
    return Step(sorted(bytes(one) for one in people), more=True)
