"""Tables of whom nothing is sent to, and of the guard that keeps an outage from filling them."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from store.moments import Moment
from store.schema.base import metadata

suppressions: Final = Table(
    "suppressions",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("address", LargeBinary(16), nullable=False),
    Column("scope", String(300), nullable=False),  # channel=..;sender=..;campaign=..;purpose=..
    Column("channel", String(32), nullable=False),  # empty: all
    Column("sender", String(255), nullable=False),
    Column("campaign", String(255), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("cause", String(32), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("origin", String(16), nullable=False),  # report, complaint, unsubscribe, operator, import, infobip
    Column("state", String(12), nullable=False),  # active, proposed, held, lifted, dropped
    Column("since", Moment, nullable=False),
    Column("event_at", Moment, nullable=False),  # when what moved it last happened: its confirmation, or its lifting
    Column("until", Moment, nullable=True),
    Column("times", Integer, nullable=False),
    Column("evidence", Text, nullable=False),  # JSON: a copy of what the reports said, so that it outlives them
    Column("changed_at", Moment, nullable=False),
    # The hold (`guard_holds.id`) that keeps it back; 0: none; -1: a person decided on it, and the guard leaves it be.
    Column("held_by", BigInteger, nullable=False, server_default="0"),
    Column("confirmed_at", Moment, nullable=True),  # when a list's refusal last said the same, by event time
    Column("audit_head", LargeBinary(32), nullable=False, server_default=""),  # hash of the trail's last row
    UniqueConstraint("account", "address", "scope", "cause"),
    Index("ix_suppressions_address", "address"),
    Index("ix_suppressions_state", "state", "since"),
    Index("ix_suppressions_rule", "rule", "since"),
    # What has an end, by that end: who looks for endings reads only those since the last look.
    Index(
        "ix_suppressions_until",
        "until",
        "id",
        sqlite_where=text("until IS NOT NULL"),
        postgresql_where=text("until IS NOT NULL"),
    ),
    Index(
        "ix_suppressions_held",
        "held_by",
        sqlite_where=text("state = 'held'"),
        postgresql_where=text("state = 'held'"),
    ),
)

# Appended to, never rewritten: each row's hash covers the one before it (`store.trail`).
suppression_audit: Final = Table(
    "suppression_audit",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("suppression_id", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Column("who", String(128), nullable=False),
    Column("change", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", LargeBinary(32), nullable=False, server_default=""),
    Index("ix_suppression_audit_of", "suppression_id"),
)

# Where trails begin whose beginning was deleted (`store.trail_cuts`): the chain's head there, of how many rows.
trail_cuts: Final = Table(
    "trail_cuts",
    metadata,
    Column("suppression_id", BigInteger, primary_key=True, autoincrement=False),
    Column("head", LargeBinary(32), nullable=False),
    Column("until", Moment, nullable=False),  # when the last of them happened
    Column("rows", Integer, nullable=False),
)

# Lifts of opt-outs that wait for a second person.
lift_requests: Final = Table(
    "lift_requests",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("suppression_id", BigInteger, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("who", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String(12), nullable=False),  # open, approved, withdrawn
    Column("is_open", BigInteger, nullable=False),  # 1, or the id once it is over: one open request for each entry
    Column("decided_at", Moment, nullable=True),
    Column("decided_by", String(128), nullable=False, server_default=""),
    UniqueConstraint("suppression_id", "is_open"),
)

# Addresses that no failure may suppress for a while.
protections: Final = Table(
    "protections",
    metadata,
    Column("account", String(64), nullable=False),
    Column("address", LargeBinary(16), nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=True),  # nothing: until somebody ends it
    Column("who", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("account", "address"),
    sqlite_with_rowid=False,
)

# What the guard against mass suppression counts: appended by many writers at once, folded by one.
guard_deltas: Final = Table(
    "guard_deltas",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("dimension", String(8), nullable=False),  # domain, network, sender, country
    Column("value", String(255), nullable=False),
    Column("bucket", Moment, nullable=False),  # five minutes of event time
    Column("finals", Integer, nullable=False),  # reports that say delivered or failed
    Column("candidates", Integer, nullable=False),  # people whom failures would newly suppress
    Column("firm", Integer, nullable=False),  # opt-outs, complaints, do-not-disturb, deactivations
    Index("ix_guard_deltas_scope", "account", "dimension", "value", "bucket"),
)

guard_counts: Final = Table(
    "guard_counts",
    metadata,
    Column("account", String(64), nullable=False),
    Column("dimension", String(8), nullable=False),
    Column("value", String(255), nullable=False),
    Column("bucket", Moment, nullable=False),
    Column("finals", Integer, nullable=False),
    Column("candidates", Integer, nullable=False),
    Column("firm", Integer, nullable=False),
    Column("counted_at", Moment, nullable=False),  # by our clock: how long it is of use
    PrimaryKeyConstraint("account", "dimension", "value", "bucket"),
    Index("ix_guard_counts_counted", "counted_at"),
    sqlite_with_rowid=False,
)

# Groups of suppressions that the guard keeps back until a person has decided.
guard_holds: Final = Table(
    "guard_holds",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("dimension", String(8), nullable=False),
    Column("value", String(255), nullable=False),
    Column("since", Moment, nullable=False),  # event time at which the window began
    Column("opened_at", Moment, nullable=False),
    Column("candidates", Integer, nullable=False),  # as it opened
    Column("finals", Integer, nullable=False),
    Column("state", String(12), nullable=False),  # open, released, dropped
    Column("is_open", BigInteger, nullable=False),  # 1, or the id once it is decided
    Column("swept", Integer, nullable=False),  # 1 once what the rules did before is held too
    Column("told_at", Moment, nullable=True),
    Column("told", Integer, nullable=False, server_default="0"),  # of how many people its incident was told
    Column("decided_at", Moment, nullable=True),
    Column("who", String(128), nullable=False, server_default=""),
    UniqueConstraint("account", "dimension", "value", "is_open"),
)
