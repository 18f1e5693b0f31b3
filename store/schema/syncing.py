"""Tables of the sync with Infobip's lists: each record of theirs that we know of, and how far each account is."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint, text

from store.moments import Moment
from store.schema.base import metadata

listed: Final = Table(
    "listed",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("list", String(12), nullable=False),  # blocklist, email, push
    Column("address", LargeBinary(16), nullable=False),
    Column("channel", String(32), nullable=False),  # our slug; empty: all
    Column("scope", String(255), nullable=False),  # sender, sender's domain, or application code; empty: all
    Column("source", String(16), nullable=False),  # CUSTOM, MO, URL_OPT_OUT, CAMPAIGN; BOUNCE, COMPLAINT
    Column("op", String(6), nullable=False),  # add or remove: what we want there; empty: it is theirs
    # to_push, sent, verified, missing, refused; of theirs: there, doubted, gone
    Column("state", String(10), nullable=False),
    Column("wanted", Integer, nullable=False),  # 1 while an entry of ours asks for it
    Column("suppression_id", BigInteger, nullable=False),  # the entry that asks for it, or that it led to; 0: none
    Column("until", Moment, nullable=True),  # when the last entry that asks for it ends
    Column("due_at", Moment, nullable=False),  # when it is to be pushed, or looked for
    Column("batch", BigInteger, nullable=False),  # the request that it was last in
    Column("answered", Integer, nullable=False),  # 1 once Infobip took that request
    Column("attempts", Integer, nullable=False),  # requests that it was in
    Column("looks", Integer, nullable=False),  # looks since the last request that did not settle it
    Column("first_sent_at", Moment, nullable=True),
    Column("sent_at", Moment, nullable=True),
    Column("created_there", Moment, nullable=True),
    Column("account_key", String(64), nullable=False),  # of Infobip's record: a removal names every property
    Column("seen_scan", Integer, nullable=False),  # the reading of the whole list that last showed it
    Column("note", Text, nullable=False),  # why it was refused; never an address
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("account", "list", "address", "channel", "scope", "source"),
    Index("ix_listed_due", "account", "list", "state", "op", "due_at"),
    Index("ix_listed_address", "address"),
    Index("ix_listed_batch", "batch"),
    Index(
        "ix_listed_until",
        "account",
        "until",
        sqlite_where=text("until IS NOT NULL"),
        postgresql_where=text("until IS NOT NULL"),
    ),
)

sync_runs: Final = Table(
    "sync_runs",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("asked", Text, nullable=False),  # JSON: method of the Blocklist -> when it was last called, in milliseconds
    Column("signature", String(400), nullable=False),  # of the settings under which the list was last gone through
    Column("walk_after", BigInteger, nullable=False),  # the suppression up to which it is gone through; -1: done
    Column("trail_after", BigInteger, nullable=False),  # the change up to which changes are followed
    Column("walked_at", Moment, nullable=True),
    Column("scan", Integer, nullable=False),  # how many readings of their list have ended
    Column("page", Integer, nullable=False),  # the next page of the reading under way; -1: none is
    Column("scan_started_at", Moment, nullable=True),
    Column("scan_since", Moment, nullable=True),  # set: only what was made there since is read, to verify ours
    Column("pulled_at", Moment, nullable=True),  # when the last whole reading ended
    Column("pulled", Integer, nullable=False),  # records that it showed
    Column("doubts_allowed", Integer, nullable=False),  # 1: a person said that very many may be gone
    Column("most", Integer, nullable=False),  # entries in a request, where fewer than set; 0: as set
    Column("troubles", Text, nullable=False),  # JSON: list -> what keeps it from going on, and until when it rests
    Column("changed_at", Moment, nullable=False),
)
