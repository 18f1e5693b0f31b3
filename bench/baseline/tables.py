"""The baseline's table and its session."""

import os
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The declarative base."""


class StoredReport(Base):
    """One delivery report."""

    __tablename__ = "reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(index=True)
    recipient: Mapped[str]
    status_group: Mapped[str]
    status_name: Mapped[str]
    error_name: Mapped[str]
    permanent: Mapped[bool]
    done_at: Mapped[datetime | None]


@cache
def engine() -> Engine:
    """Return this process's engine; SQLite is as safe and as concurrent as the product has it."""
    made = create_engine(os.environ["BASELINE_DATABASE"])
    if made.dialect.name == "sqlite":

        @event.listens_for(made, "connect")
        def _connect(connection: Any, record: Any) -> None:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
                connection.execute(f"PRAGMA {pragma}")

    return made
