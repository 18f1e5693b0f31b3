"""What a person sets by hand: incidents, quarantine, and notes about the installation."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, select, update

from store import told
from store.incidents import ACKNOWLEDGED, OPEN, RESOLVED, WATCHING
from store.ledger import unseen
from store.moments import EPOCH
from store.schema import inbox, incidents, meta, quarantine
from store.writes import upsert

REPLAYED: Final = "replayed"
DISCARDED: Final = "discarded"


def acknowledge(connection: Connection, number: int) -> bool:
    """Say that somebody works on an open incident: no reminder follows. Whether it was open."""
    mine = update(incidents).where(incidents.c.id == number, incidents.c.state == OPEN)
    return connection.execute(mine.values(state=ACKNOWLEDGED)).rowcount == 1


def resolve(connection: Connection, number: int) -> bool:
    """End an incident: the next sighting opens a new one. Whether it was still going on."""
    before = connection.scalar(select(incidents.c.state).where(incidents.c.id == number, incidents.c.is_open == 1))
    mine = update(incidents).where(incidents.c.id == number, incidents.c.is_open == 1)
    ended = connection.execute(mine.values(state=RESOLVED, is_open=number)).rowcount == 1
    if ended and before != WATCHING:
        told.incidents_resolved(connection, [number], datetime.now(UTC))
    return ended


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
