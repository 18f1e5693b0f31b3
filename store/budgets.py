"""What resends may cost and how many there may be: counted so that two workers never count at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from sqlalchemy import Connection, func, or_, select

from store.schema import retries


@dataclass(frozen=True, slots=True)
class Cost:
    """What a resend is reckoned to cost, in millionths of the currency."""

    micros: int = 0
    currency: str = ""


def one_at_a_time(connection: Connection, account: str) -> None:
    """Let no other worker decide on a resend of this account until the end of the transaction.

    Of two that count at the same moment, neither would see what the other lets out, and both would take the last place
    in a budget, or the last that a person may get within an hour. It is taken before all other locks, and by nobody
    who holds one; SQLite has one writer anyway.
    """
    if connection.dialect.name != "sqlite":
        number = blake2b(account.encode(), digest_size=8, person=b"dlr-resend").digest()
        connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(number, "big", signed=True))))


def sent_since(connection: Connection, account: str, since: datetime) -> tuple[int, int]:
    """Return how many resends of an account left since then, and what they cost, in millionths of its currency."""
    mine = (retries.c.account == account) & (retries.c.sent_at >= since)
    row = connection.execute(select(func.count(), func.coalesce(func.sum(retries.c.cost_micros), 0)).where(mine)).one()
    return row[0], int(row[1])


def sent_to_since(connection: Connection, addresses: Collection[bytes], since: datetime) -> int:
    """Return how many resends went since then to one person, whose addresses these are the hashes of.

    Counted by whom a report was about as well as by whom it went to: by another channel that may be another address.
    The hash of an address is of one account.
    """
    wanted = sorted(addresses)
    theirs = or_(retries.c.recipient.in_(wanted), retries.c.reached.in_(wanted)) & (retries.c.sent_at >= since)
    return int(connection.scalar(select(func.count()).where(theirs)) or 0)


def dearest(connection: Connection, account: str, since: datetime) -> int:
    """Return the most that a resend of this account has cost since then, in millionths."""
    mine = (retries.c.account == account) & (retries.c.sent_at >= since)
    return int(connection.scalar(select(func.coalesce(func.max(retries.c.cost_micros), 0)).where(mine)) or 0)
