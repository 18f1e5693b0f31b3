"""Tables of what comes in and what is decided on it."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from store.moments import Moment
from store.schema.base import metadata

# What belongs to the installation as a whole: the ids of its keys, the interval at which something ran last.
meta: Final = Table(
    "meta", metadata, Column("name", String(64), primary_key=True), Column("value", Text, nullable=False)
)

# On SQLite these two are in a file of their own (`store.sqlite`).
inbox: Final = Table(
    "inbox",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("content_type", String(255), nullable=False),
    Column("headers", LargeBinary, nullable=False),  # sealed JSON, for the relay
    Column("body", LargeBinary, nullable=False),  # sealed
    Column("body_hash", LargeBinary(16), nullable=False),
    Column("trusted", Boolean, nullable=False),
    Column("items", Integer, nullable=False),
    Column("state", String(12), nullable=False),  # new, undecoded, done, quarantined
    Column("waiting", Integer, nullable=False),  # 1 while a worker has to look at it
    Column("owner", String(64), nullable=False, default=""),
    Column("lease_until", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("alone_attempts", Integer, nullable=False, default=0),
    Column("relaying", Integer, nullable=False, server_default="0"),  # 1 until it is in the outbox for its relays
    Column("packed", LargeBinary, nullable=True),  # sealed: for these relays, where the body came packed
    # Work still to do, in order of arrival. Done rows are not in it, so it stays small however much is kept.
    Index("ix_inbox_waiting", "id", sqlite_where=text("waiting = 1"), postgresql_where=text("waiting = 1")),
    Index("ix_inbox_relaying", "id", sqlite_where=text("relaying = 1"), postgresql_where=text("relaying = 1")),
    Index("ix_inbox_body", "body_hash"),
)

quarantine: Final = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("callback_id", BigInteger, nullable=False),
    Column("item_index", Integer, nullable=False),  # -1: the whole body
    Column("channel", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("kept_at", Moment, nullable=False),
    Column("state", String(12), nullable=False),  # open, replayed, discarded
    UniqueConstraint("callback_id", "item_index"),
    Index("ix_quarantine_state", "state", "id"),
)

# Reports by which no message became known first: the marks of those that did are beside their messages.
report_keys: Final = Table(
    "report_keys",
    metadata,
    Column("account", String(64), nullable=False),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("seen_at", Moment, nullable=False),
    PrimaryKeyConstraint("account", "fingerprint"),
    Index("ix_report_keys_seen", "seen_at"),
    sqlite_with_rowid=False,
)

# Of those of whom more is kept than reports on what arrived (`store.people`). With row ids on SQLite, as `messages` and
# `sends` have them: in the order of their hashes each row that comes or changes would dirty a page of its own.
addresses: Final = Table(
    "addresses",
    metadata,
    Column("hash", LargeBinary(16), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("tail", String(2), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("seen_at", Moment, nullable=False),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),  # hash of account, message id and recipient
    Column("account", String(64), nullable=False),
    Column("message_id", String(255), nullable=False),
    Column("recipient", LargeBinary(16), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("legs", Text, nullable=False),  # JSON: leg -> [state, event time]
    Column("resends", Integer, nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("sender", String(255), nullable=False),
    Column("mcc_mnc", String(16), nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("fingerprint", LargeBinary(32), nullable=True),  # of the delivery report that made it known, if one did
    Index("ix_messages_id", "message_id"),
    Index("ix_messages_changed", "changed_at"),
)

reports: Final = Table(
    "reports",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("callback_id", BigInteger, nullable=False),
    Column("item_index", Integer, nullable=False),
    Column("message_key", LargeBinary(16), nullable=False),
    Column("recipient", LargeBinary(16), nullable=False),
    Column("event", String(16), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("cause", String(32), nullable=False),
    Column("event_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("facts", Text, nullable=False),  # JSON: codes, price, sender, network ... never an address
    # Whether it is not found by the recipient that its message has (`store.about`): it names another one, or nobody.
    Column("apart", Boolean, nullable=False, server_default=false()),
    # The recipient's address, and what is shown of it, where nothing else is kept of them (`store.people`).
    Column("sealed", LargeBinary, nullable=True),
    Column("hint", String(256), nullable=True),
    Index("ix_reports_callback", "callback_id"),
    Index("ix_reports_apart", "message_key", sqlite_where=text("apart = 1"), postgresql_where=text("apart")),
    Index("ix_reports_recipient", "recipient", "received_at"),
)

decisions: Final = Table(
    "decisions",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("report_id", BigInteger, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("replay", Boolean, nullable=False),
    Column("rule", String(64), nullable=False),
    Column("actions", Text, nullable=False),  # JSON list
    Column("reason", Text, nullable=False),
    Column("policy", String(12), nullable=False),
    Column("tables", String(12), nullable=False),
    Index("ix_decisions_report", "report_id"),
)

# One row for each day on which a recipient failed on a channel for one cause that says something about them. What a
# delivery wipes out is marked, not deleted: what was decided before it can be decided anew.
failure_days: Final = Table(
    "failure_days",
    metadata,
    Column("account", String(64), nullable=False),
    Column("address", LargeBinary(16), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("day", Moment, nullable=False),
    Column("cause", String(32), nullable=False, server_default=""),  # empty: from before causes were kept
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("place", String(300), nullable=False, server_default=""),  # network=.. or domain=.. (`store.outages`)
    Column("reached_at", Moment, nullable=False, server_default="0"),  # when a delivery last wiped something of it out
    PrimaryKeyConstraint("account", "address", "channel", "day", "cause"),
    Index("ix_failure_days_day", "day"),
    sqlite_with_rowid=False,
)
