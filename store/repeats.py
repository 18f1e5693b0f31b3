"""How often somebody was suppressed before: pauses grow with it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from store import failures
from store.moments import from_ms
from store.schema import suppressions
from store.suppressions import DROPPED, HELD, STANDING
from store.writes import select_in


def times_suppressed(
    connection: Connection, people: Iterable[failures.Person], now: datetime
) -> dict[tuple[bytes, str], int]:
    """Return how many suppressions of each (address, cause) have ended: pauses grow with them."""
    found: dict[tuple[bytes, str], int] = {}
    for row in select_in(connection, suppressions, "address", [address for _, address in people]):
        # What nobody agreed to was never in force.
        runs = row.state in (*STANDING, DROPPED) and (row.until is None or from_ms(row.until) > now)
        ended = row.times - (runs or row.state in (HELD, DROPPED))
        found[row.address, row.cause] = max(ended, found.get((row.address, row.cause), 0))
    return found
