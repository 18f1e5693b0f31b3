"""Tables of what the customer's own system is told."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text

from store.moments import Moment
from store.schema.base import metadata

# Events for endpoints of the customer's; each was wanted by one at least when it happened. `outbox` says who gets it.
events: Final = Table(
    "events",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", LargeBinary(16), nullable=False, unique=True),  # hash of what it is about: nothing is told twice
    Column("account", String(64), nullable=False),
    Column("kind", String(32), nullable=False),  # one of config.events
    Column("channel", String(32), nullable=False),  # empty: of no channel
    Column("at", Moment, nullable=False),
    Column("recipient", LargeBinary(16), nullable=False),  # hash; empty: about nobody
    Column("message_key", LargeBinary(16), nullable=False),
    Column("data", Text, nullable=False),  # JSON, without any address: that is added as it leaves, where switched on
    Index("ix_events_recipient", "recipient"),
)
