"""Undo what one rule did in a time: for a rule that was wrong, or a code that meant something else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select

from store.ids import first_id_of
from store.moments import to_ms
from store.schema import suppression_audit, suppressions
from store.suppressions import DECIDED, DROPPED, STANDING
from store.trail import Change, change

OPT_OUT: Final = "recipient_opted_out"
_MADE: Final = ("suppressed", "proposed", "held", "renewed")
_AT_ONCE: Final = 500


def _chosen(rule: str, since: datetime, until: datetime, columns: Sequence[Any]) -> Any:
    # Ids begin with the time of writing, so this reads the trail of that time and no other.
    made = select(suppression_audit.c.suppression_id).where(
        suppression_audit.c.id >= first_id_of(to_ms(since)),
        suppression_audit.c.id < first_id_of(to_ms(until)),
        suppression_audit.c.change.in_(_MADE),
        suppression_audit.c.detail == rule,
    )
    return select(*columns).where(
        suppressions.c.id.in_(made), suppressions.c.rule == rule, suppressions.c.state.in_(STANDING)
    )


def counts(connection: Connection, rule: str, since: datetime, until: datetime) -> dict[tuple[str, str], int]:
    """Return how many entries would be undone, by (cause, state)."""
    columns = (suppressions.c.cause, suppressions.c.state, func.count())
    query = _chosen(rule, since, until, columns).group_by(suppressions.c.cause, suppressions.c.state)
    return {(cause, state): count for cause, state, count in connection.execute(query)}


def undo(
    connection: Connection, rule: str, since: datetime, until: datetime, now: datetime, who: str, reason: str
) -> int:
    """Undo up to 500 entries; return how many, 0 at the end. They count for no later pause."""
    query = _chosen(rule, since, until, (suppressions.c.id,)).order_by(suppressions.c.id).limit(_AT_ONCE)
    numbers = list(connection.scalars(query))
    values = {"state": DROPPED, "changed_at": now, "event_at": now, "held_by": DECIDED}
    detail = f"undone: rule {rule}" + (f", {reason}" if reason else "")
    change(connection, [Change(number, "undone", detail, values) for number in numbers], now, who)
    return len(numbers)
