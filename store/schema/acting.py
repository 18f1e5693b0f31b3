"""Tables of what is to be done, and of the sends that it is done to."""

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
    text,
)

from store.moments import Moment
from store.schema.base import metadata

retries: Final = Table(
    "retries",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("message_key", LargeBinary(16), nullable=False),
    Column("recipient", LargeBinary(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("report_id", BigInteger, nullable=False),
    # observed, proposed, waiting, planned, claimed, sending, accepted, refused, unknown, cancelled, expired
    Column("state", String(12), nullable=False),
    # observe, propose, act: the policy's; by_hand: a person let it go, whatever the policy says
    Column("mode", String(8), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("due_at", Moment, nullable=True),
    Column("give_up_at", Moment, nullable=False),
    Column("note", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
    # ---- filled in as it goes on
    Column("new_id", String(255), nullable=False, server_default=""),  # the message id that this attempt has
    Column("owner", String(64), nullable=False, server_default=""),
    Column("lease_until", Moment, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0"),  # times it was claimed and did not leave
    Column("posts", Integer, nullable=False, server_default="0"),  # times the request left: 2 at most, same id
    Column("sent_at", Moment, nullable=True),  # when it left last
    Column("looks", Integer, nullable=False, server_default="0"),  # logs read since, without finding it
    Column("first_look_at", Moment, nullable=True),
    Column("cost_micros", BigInteger, nullable=False, server_default="0"),  # what it was reckoned to cost as it left
    Column("currency", String(8), nullable=False, server_default=""),
    # Which way it left last: empty is to Infobip, `application` by the application's own resend URL.
    Column("via", String(12), nullable=False, server_default=""),
    Column("reached", LargeBinary(16), nullable=True),  # the hash of the address that it left for last
    UniqueConstraint("account", "message_key", "attempt"),
    Index("ix_retries_sent", "account", "sent_at"),
    Index("ix_retries_recipient", "recipient"),
    Index("ix_retries_reached", "reached"),
    Index("ix_retries_due", "state", "due_at"),
)

outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # relay, report, forward, notify
    Column("target", String(512), nullable=False),
    Column("subject", BigInteger, nullable=False),  # the callback, event or incident it is about
    Column("payload", LargeBinary, nullable=True),  # sealed; empty where the subject's own row holds it
    Column("state", String(12), nullable=False),  # due, claimed, done, given_up
    Column("due_at", Moment, nullable=False),
    Column("give_up_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("last_error", Text, nullable=False),
    UniqueConstraint("kind", "target", "subject"),
    Index("ix_outbox_due", "state", "due_at"),
    # What is open of one target, oldest first: however much waits for a dead one, nobody reads past it.
    Index(
        "ix_outbox_line",
        "kind",
        "target",
        "due_at",
        sqlite_where=text("state IN ('due', 'claimed')"),
        postgresql_where=text("state IN ('due', 'claimed')"),
    ),
)

# The register of sends: one row for each message to one recipient that an application told us of, or sent through us.
sends: Final = Table(
    "sends",
    metadata,
    # The message's key (`messages.key`); while Infobip has not given the message its id, a key of its own.
    Column("key", LargeBinary(16), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("message_id", String(255), nullable=False),  # empty: Infobip's answer will tell it, or never told it
    Column("recipient", LargeBinary(16), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("sender", String(255), nullable=False),
    Column("purpose", String(16), nullable=False),  # undeclared where the application did not say
    Column("campaign", String(255), nullable=False),
    Column("application", String(255), nullable=False),
    Column("entity", String(255), nullable=False),
    Column("endpoint", String(32), nullable=False),  # name in infobip.outbound.endpoints; empty: not resent by us
    Column("path", String(255), nullable=False),
    # intent (about to be posted), accepted, refused, unknown (no answer), not_sent, told (the application sent it)
    Column("state", String(12), nullable=False),
    Column("origin", String(8), nullable=False),  # proxy, api
    Column("sent_at", Moment, nullable=False),
    Column("not_after", Moment, nullable=True),
    Column("failover", Text, nullable=False),  # JSON list: channels to which Infobip itself goes on
    Column("repeats", Boolean, nullable=False),  # Infobip itself repeats it when it fails
    Column("obstacle", Text, nullable=False),  # why it can never be resent, or empty
    Column("credential", LargeBinary(32), nullable=False),  # mark of whose credential sent it; empty: told by the API
    Column("report_url", LargeBinary, nullable=False),  # sealed: the application's own, where ours replaced it
    Column("flagged", Boolean, nullable=False),  # passed although a marketing-only suppression stands
    Column("content", BigInteger, nullable=False),  # 0: none kept
    Index("ix_sends_sent", "account", "sent_at"),
    Index("ix_sends_recipient", "recipient", "sent_at"),
    Index("ix_sends_content", "content"),
    Index("ix_sends_message", "message_id"),
)

# What was sent, sealed; erased at once when nobody can need it any more, and in any case after `keep_until`.
contents: Final = Table(
    "contents",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    # Sealed JSON: {"request": base64 of the request for this one person, "fallback": {...} or null}
    Column("sealed", LargeBinary, nullable=False),
    Column("keep_until", Moment, nullable=False),
    Index("ix_contents_until", "keep_until"),
)

# Whose a resend's own id is: reports for it count for the original.
aliases: Final = Table(
    "aliases",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),  # the key that a report on the new id has
    Column("account", String(64), nullable=False),
    Column("message_key", LargeBinary(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("made_at", Moment, nullable=False),
    Index("ix_aliases_made", "made_at"),
    sqlite_with_rowid=False,
)

# Sends of which a delivery has to be reported within seconds, or another channel is started. Kept for some minutes
# after that: whether one message is silent or all are is seen from the others.
silences: Final = Table(
    "silences",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),  # the message's key
    Column("account", String(64), nullable=False),
    Column("recipient", LargeBinary(16), nullable=False),
    Column("channel", String(32), nullable=False),  # the one that was sent by
    Column("rule", String(64), nullable=False),
    Column("instead", String(32), nullable=False),  # the channel to start
    Column("sent_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    # waiting, heard (it arrived in time), fired, held (callbacks were late themselves), dropped (nothing may follow)
    Column("state", String(12), nullable=False),
    Index("ix_silences_due", "state", "due_at"),
    Index("ix_silences_channel", "account", "channel", "due_at"),
    sqlite_with_rowid=False,
)

# Scopes in which nothing is resent for a while. scope is `brand`, `sender`, `domain`, `network`, `account` or `all`.
pauses: Final = Table(
    "pauses",
    metadata,
    Column("account", String(64), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("value", String(255), nullable=False),  # empty: all of the account
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=True),  # nothing: until somebody lifts it
    Column("step", Integer, nullable=False),  # 0: closed; 1: its probe is out; then how often it was opened wider
    Column("why", Text, nullable=False),
    Column("who", String(128), nullable=False),
    # ---- where it stands in its step (`policy.opening`)
    Column("gone", Integer, nullable=False, server_default="0"),  # how many left in it
    Column("held", Integer, nullable=False, server_default="0"),  # how many were held back in it
    Column("delay_ms", BigInteger, nullable=False, server_default="0"),  # by how much it was prolonged last
    PrimaryKeyConstraint("account", "scope", "value"),
)

# Keys of applications that may call /api and /proxy.
api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("hash", LargeBinary(32), nullable=False, unique=True),  # SHA-256 of a random key
    Column("scopes", String(255), nullable=False),  # separated by blanks
    Column("made_at", Moment, nullable=False),
    Column("used_at", Moment, nullable=True),  # to the day
    Column("revoked_at", Moment, nullable=True),
)
