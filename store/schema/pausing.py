"""Tables of what pauses are started by, and of what leaves while one opens again."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, String, Table

from store.moments import Moment
from store.schema.base import metadata

# Resends that left through a pause while it opened: as many as its steps let out, and gone with it.
pause_passes: Final = Table(
    "pause_passes",
    metadata,
    Column("account", String(64), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("value", String(255), nullable=False),
    Column("retry_id", BigInteger, nullable=False),
    Column("step", Integer, nullable=False),
    Column("left_at", Moment, nullable=False),
    Column("fared", String(8), nullable=False),  # empty: unheard of; good, bad, other
    PrimaryKeyConstraint("account", "scope", "value", "retry_id"),
    Index("ix_pause_passes_retry", "retry_id"),
)

# How messages of a scope ended, by the minute in which they did: appended by many writers at once, folded by one.
pause_deltas: Final = Table(
    "pause_deltas",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("value", String(255), nullable=False),
    Column("minute", Moment, nullable=False),
    Column("total", Integer, nullable=False),
    Column("failed", Integer, nullable=False),  # for a reason that passes and tells of this scope
)

pause_windows: Final = Table(
    "pause_windows",
    metadata,
    Column("account", String(64), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("value", String(255), nullable=False),
    Column("minute", Moment, nullable=False),
    Column("total", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    PrimaryKeyConstraint("account", "scope", "value", "minute"),
    Index("ix_pause_windows_minute", "minute"),
    sqlite_with_rowid=False,
)
