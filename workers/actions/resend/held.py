"""Which pauses hold which planned resends."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from store import pauses
from store.parts import in_parts
from store.pauses import ALL, Pause, Scope
from store.resending import CLAIMED, MAY_LEAVE, PLANNED
from store.schema import addresses, messages, retries, sends
from workers.scopes import scopes


class Scoped(NamedTuple):
    """A resend with the scopes that it belongs to."""

    id: int
    account: str
    state: str
    due_at: datetime | None
    scopes: Sequence[Scope]

    def is_in(self, pause: Pause) -> bool:
        """Whether the pause, where it stands, holds this one."""
        return pause.account in ("", self.account) and pause.scope in self.scopes


def standing(connection: Connection, now: datetime) -> list[Pause]:
    """Return the pauses that hold something now, the switch for all first, then the oldest."""
    found = [one for one in pauses.everywhere(connection) if one.until is None or one.until > now]
    return sorted(found, key=lambda one: one.scope.kind != ALL)


def scoped(connection: Connection, numbers: Sequence[int]) -> dict[int, Scoped]:
    """Return these resends with their scopes, by id."""
    return {one.id: one for part in in_parts(numbers) for one in _read(connection, retries.c.id.in_(part))}


def about_to_leave(connection: Connection) -> Iterator[Scoped]:
    """Yield all resends that are planned, with their scopes."""
    yield from _read(connection, retries.c.state.in_((PLANNED, CLAIMED)) & retries.c.mode.in_(MAY_LEAVE))


def held_by(one: Scoped, found: Collection[Pause]) -> Pause | None:
    """Return the first of these pauses that holds the resend."""
    return next((pause for pause in found if one.is_in(pause)), None)


def _read(connection: Connection, wanted: object) -> Iterator[Scoped]:
    joined = retries.outerjoin(messages, messages.c.key == retries.c.message_key)
    joined = joined.outerjoin(sends, sends.c.key == retries.c.message_key)
    joined = joined.outerjoin(addresses, addresses.c.hash == retries.c.recipient)
    own = (retries.c.id, retries.c.account, retries.c.state, retries.c.due_at, messages.c.mcc_mnc, addresses.c.domain)
    theirs = (messages.c.sender.label("seen"), sends.c.sender, sends.c.campaign, sends.c.application)
    for row in connection.execute(select(*own, *theirs).select_from(joined).where(wanted)):  # type: ignore[arg-type]
        mine = scopes(
            network=row.mcc_mnc or "",
            sender=row.sender or row.seen or "",
            brand=row.campaign or row.application or "",
            domain=row.domain or "",
        )
        yield Scoped(row.id, row.account, row.state, row.due_at, mine)
