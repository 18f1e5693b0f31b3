"""Resends that were planned while the policy let them act, and are a person's to decide on now that it does not."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select, update

from policy import Mode
from store import told
from store.resending import ACT, CLAIMED, PLANNED, SET_BACK, Resend
from store.schema import retries

# How the note of one begins that was set back.
WAS_PLANNED: Final = "it was planned, and then"
_AT_ONCE: Final = 500


def every(connection: Connection, mode: Mode, now: datetime) -> int:
    """Set back what is planned and that no person let go; return how many, 500 at most."""
    query = select(retries.c.id).where(retries.c.state == PLANNED, retries.c.mode == ACT).limit(_AT_ONCE)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    numbers = list(connection.scalars(query))
    return _change(connection, retries.c.id.in_(numbers), mode, now) if numbers else 0


def claimed(connection: Connection, one: Resend, owner: str, now: datetime, mode: Mode) -> bool:
    """Set back one that `owner` has claimed. Whether it was still theirs."""
    mine = (retries.c.id == one.id) & (retries.c.owner == owner) & (retries.c.state == CLAIMED)
    return _change(connection, mine, mode, now) == 1


def _change(connection: Connection, which: ColumnElement[bool], mode: Mode, now: datetime) -> int:
    values: dict[str, Any] = {"state": SET_BACK[mode.value], "mode": mode.value, "owner": "", "changed_at": now}
    values["note"] = f"{WAS_PLANNED} the mode of resends was set back to {mode.value}"
    changed = update(retries).where(which).values(**values).returning(retries.c.message_key)
    keys = list(connection.scalars(changed))
    # What is only observed is no hope: of a message that failed, whoever wants to know hears so now.
    told.messages_ended(connection, keys, now)
    return len(keys)
