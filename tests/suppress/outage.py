"""A network that fails, the incident that tells of it, and people who fail there day by day."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select, update

from store import incidents
from store.incidents import Sighting
from store.schema import incidents as incident_table
from tests.support.desk import Desk, report
from workers import maintain

DAY = 24 * 60
BEGIN = datetime(2026, 3, 9, 10, tzinfo=UTC)


def absent(number: int, minute: int, **more: Any) -> dict[str, Any]:
    """Return a report on a subscriber who is absent."""
    return report(f"a-{number}-{minute}", 9, 27, minute, to=str(447_700_900_000 + number), **more)


def begins(desk: Desk, minute: int, facts: dict[str, str], *, count: int = 1, threshold: int = 1) -> int:
    """Let an incident be seen at `minute`, and fold it; return its id. It opens at `threshold` within an hour."""
    return goes_on(desk, [minute], facts, count=count, threshold=threshold)


def goes_on(desk: Desk, minutes: Iterable[int], facts: dict[str, str], *, count: int = 1, threshold: int = 1) -> int:
    """Let an incident be seen at each of these minutes, and fold all that; return its id."""
    key = "rate-unusual|" + "|".join(f"{name}={value}" for name, value in facts.items())
    seen = [
        Sighting(
            "main",
            key,
            "rate-unusual",
            "warning",
            "title",
            "step",
            BEGIN + timedelta(minutes=minute),
            facts=facts,
            threshold=threshold,
            count=count,
        )
        for minute in minutes
    ]
    desk.database.repeat(lambda connection: incidents.note(connection, seen))
    desk.fold()
    with desk.database.reading() as connection:
        return int(connection.execute(select(incident_table.c.id).where(incident_table.c.key == key)).scalar_one())


def ends(desk: Desk, number: int, minute: int) -> None:
    moment = BEGIN + timedelta(minutes=minute)
    values: dict[str, Any] = {"state": "resolved", "is_open": number, "resolved_at": moment}
    with desk.database.transaction() as connection:
        connection.execute(update(incident_table).where(incident_table.c.id == number).values(**values))


def excuse(desk: Desk) -> None:
    context: Any = SimpleNamespace(database=desk.database)
    maintain.excuse(context, datetime.now(UTC))


def fails_on(desk: Desk, days: range, person: int = 1, **more: Any) -> None:
    for day in days:
        desk.handle(absent(person, day * DAY, **more))
