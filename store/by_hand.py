"""What a person sets by hand: incidents, quarantine, and notes about the installation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select, update

from store import incident_events
from store.incidents import ACKNOWLEDGED, OPEN, end
from store.ledger import unseen
from store.moments import EPOCH
from store.schema import inbox, incidents, meta, quarantine
from store.writes import upsert

REPLAYED: Final = "replayed"
DISCARDED: Final = "discarded"


def acknowledge(connection: Connection, number: int, who: str, now: datetime, account: str = "") -> bool:
    """Say that somebody works on an open incident: no reminder follows. Whether it was open (and of `account`)."""
    mine = update(incidents).where(incidents.c.id == number, incidents.c.state == OPEN, *_of(account))
    row = connection.execute(mine.values(state=ACKNOWLEDGED).returning(incidents.c.severity)).first()
    if row is None:
        return False
    incident_events.append(connection, number, incident_events.ACKNOWLEDGED, now, severity=row.severity, who=who)
    return True


def resolve(connection: Connection, number: int, who: str, now: datetime, account: str = "", why: str = "") -> bool:
    """End an incident: the next sighting opens a new one. Whether it was still going on (and of `account`)."""
    mine = select(incidents).where(incidents.c.id == number, incidents.c.is_open == 1, *_of(account))
    if connection.dialect.name != "sqlite":
        mine = mine.with_for_update()
    row = connection.execute(mine).first()
    if row is None:
        return False
    end(connection, row, now, who, why)
    return True


def _of(account: str) -> list[Any]:
    return [incidents.c.account == account] if account else []


def discard(connection: Connection, numbers: Sequence[int]) -> int:
    """Give up what is in quarantine; the raw callback stays until its retention ends. Returns how many were open."""
    mine = update(quarantine).where(quarantine.c.id.in_(numbers), quarantine.c.state == OPEN)
    return connection.execute(mine.values(state=DISCARDED)).rowcount


def put_back(connection: Connection, number: int, done: Sequence[tuple[str, bytes]], now: datetime) -> bool:
    """Put the callback of a quarantined item back into the inbox. Whether it was there and not waiting already.

    `done` are the (account, fingerprint) of those of its items that had their effects: they are remembered anew,
    since fingerprints are kept for a shorter time than what is in quarantine.
    """
    callback = select(quarantine.c.callback_id).where(quarantine.c.id == number).scalar_subquery()
    again = update(inbox).where(inbox.c.id == callback, inbox.c.waiting == 0)
    fresh: dict[str, Any] = {"owner": "", "lease_until": EPOCH, "attempts": 0, "alone_attempts": 0}
    if connection.execute(again.values(state="new", waiting=1, **fresh)).rowcount != 1:
        return False
    connection.execute(update(quarantine).where(quarantine.c.id == number).values(state=REPLAYED))
    unseen(connection, done, now)
    return True


def note(connection: Connection, name: str, value: str) -> None:
    """Note something about the installation as a whole."""
    upsert(connection, meta, [{"name": name, "value": value}], ["name"], ["value"])
