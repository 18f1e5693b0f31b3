"""Tables of what needs a person, and of the traffic by which it is noticed that something is unusual."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from store.moments import Moment
from store.schema.base import metadata

incidents: Final = Table(
    "incidents",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("key", String(400), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("title", Text, nullable=False),
    Column("next_step", Text, nullable=False),
    Column("state", String(12), nullable=False),  # watching (below its threshold), open, acknowledged, resolved
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("heard_at", Moment, nullable=False),  # by our clock: a backlog of old events is news all the same
    Column("count", Integer, nullable=False),
    Column("recent", Text, nullable=False),  # JSON: minute -> count, of the latest minutes (`store.incidents`)
    Column("examples", Text, nullable=False),  # JSON: masked recipients and message ids
    Column("told_at", Moment, nullable=True),
    Column("is_open", BigInteger, nullable=False),  # 1, or the id once resolved: makes the key unique while open
    Column("cause", String(32), nullable=False, server_default=""),
    Column("purposes", Text, nullable=False, server_default="[]"),  # JSON list of those concerned
    Column("facts", Text, nullable=False, server_default="{}"),  # JSON: what it is grouped by, name -> value
    Column("told", String(12), nullable=False, server_default=""),  # the change that people heard of last, at told_at
    Column("quiet_until", Moment, nullable=True),  # when it is over if nothing is heard; empty: as the setting says
    Column("resolved_at", Moment, nullable=True),
    Column("ended_by", String(128), nullable=False, server_default=""),  # empty: it ended by itself
    # The network, domain or country that it is about as a whole (`store.outages`); empty: about something else.
    Column("place", String(300), nullable=False, server_default=""),
    # JSON: when its failures came at a rate that opens it (`store.spells`); only of what has a place.
    Column("spells", Text, nullable=False, server_default="[]"),
    UniqueConstraint("account", "key", "is_open"),
    Index("ix_incidents_state", "state", "last_at"),
    Index("ix_incidents_place", "account", "place"),
)

# Deltas are appended by many writers at once and folded by one, so that a storm of one cause locks no shared row.
incident_deltas: Final = Table(
    "incident_deltas",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("key", String(400), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("title", Text, nullable=False),
    Column("next_step", Text, nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("within_ms", BigInteger, nullable=False),
    Column("repeat_ms", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("example", Text, nullable=False),
    Column("quiet_ms", BigInteger, nullable=False, server_default="0"),
    Column("cause", String(32), nullable=False, server_default=""),
    Column("purpose", String(16), nullable=False, server_default=""),
    Column("facts", Text, nullable=False, server_default="{}"),
)

incident_events: Final = Table(
    "incident_events",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # the stable key of its notifications
    Column("incident_id", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Column("change", String(12), nullable=False),  # see store.incident_events
    Column("severity", String(8), nullable=False),
    Column("who", String(128), nullable=False),
    Column("detail", Text, nullable=False),
    Column("spread", Integer, nullable=False),  # 0 waits to be given to routes, 1 given, 2 kept back by a silence
    Index("ix_incident_events_of", "incident_id"),
    Index(
        "ix_incident_events_waiting",
        "id",
        sqlite_where=text("spread IN (0, 2)"),
        postgresql_where=text("spread IN (0, 2)"),
    ),
)

# While one lasts, no route hears of the incidents that it covers. Empty fields cover all.
incident_silences: Final = Table(
    "incident_silences",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("cause", String(32), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("facts", Text, nullable=False),  # JSON: name -> value, all of which the incident has to have
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("why", Text, nullable=False),
    Column("who", String(128), nullable=False),
)

# Final reports by hour of receipt. Deltas are appended beside the reports and folded by one.
traffic: Final = Table(
    "traffic",
    metadata,
    Column("account", String(64), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("network", String(16), nullable=False),
    Column("hour", Moment, nullable=False),
    Column("reports", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    PrimaryKeyConstraint("account", "channel", "network", "hour"),
    Index("ix_traffic_hour", "hour"),
    sqlite_with_rowid=False,
)

traffic_deltas: Final = Table(
    "traffic_deltas",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("network", String(16), nullable=False),
    Column("hour", Moment, nullable=False),
    Column("reports", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
)
