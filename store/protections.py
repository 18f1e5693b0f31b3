"""Addresses that no failure suppresses for a while: a person's word against what failures say.

What people ask for themselves (opt-out, complaint, do-not-disturb) and deactivations are written all the same.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from codes.causes import FIRM
from store.moments import to_ms
from store.schema import protections, suppressions
from store.suppressions import STANDING, lift
from store.writes import select_in, upsert

Person = tuple[str, bytes]


def protect(
    connection: Connection, people: Sequence[Person], until: datetime | None, now: datetime, who: str, reason: str
) -> int:
    """Protect addresses, and lift what failures made of them; return how many entries were lifted."""
    rows = [
        {"account": account, "address": address, "since": now, "until": until, "who": who[:128], "reason": reason}
        for account, address in sorted(people)
    ]
    upsert(connection, protections, rows, ("account", "address"), ("since", "until", "who", "reason"))
    inferred = select(suppressions.c.id).where(
        suppressions.c.address.in_([address for _, address in people]),
        suppressions.c.cause.not_in(sorted(FIRM)),
        suppressions.c.origin == "report",
        suppressions.c.state.in_(STANDING),
    )
    standing = [(number, now) for number in connection.scalars(inferred)]
    return lift(connection, standing, now, who, f"protected: {reason}" if reason else "protected")


def end(connection: Connection, people: Sequence[Person]) -> int:
    """End protections; return how many there were."""
    theirs = protections.c.address.in_([address for _, address in people])
    return connection.execute(delete(protections).where(theirs)).rowcount


def protected(connection: Connection, people: Iterable[Person], now: datetime) -> set[Person]:
    """Return who of these is protected now."""
    wanted = sorted(set(people))
    if not wanted:
        return set()
    # By the table's whole key, and as plain SQL: it is asked for every slice with a failure in it.
    accounts, addresses = {account for account, _ in wanted}, [address for _, address in wanted]
    rows = select_in(connection, protections, "address", addresses, accounts=accounts)
    moment = to_ms(now)
    lives = {(row.account, bytes(row.address)) for row in rows if row.until is None or row.until > moment}
    return lives & set(wanted)


def standing(connection: Connection) -> list[dict[str, Any]]:
    """Return all protections, the first to end first."""
    query = select(protections).order_by(protections.c.until.is_(None), protections.c.until, protections.c.since)
    return [dict(row) for row in connection.execute(query).mappings()]
