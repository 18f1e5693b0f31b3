"""What happened to an incident, and when: its history, and what notifications are made of."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from store.ids import new_id
from store.schema import incident_events
from store.writes import insert_rows

OPENED: Final = "opened"
REOPENED: Final = "reopened"
REMINDED: Final = "reminded"
GRAVER: Final = "graver"  # its severity rose
UPDATED: Final = "updated"  # it concerns more than it did
ACKNOWLEDGED: Final = "acknowledged"
RESOLVED: Final = "resolved"

WAITING: Final = 0  # nobody has looked yet which routes are to hear of it
SPREAD: Final = 1
SILENCED: Final = 2  # a silence keeps it back


def append(
    connection: Connection,
    incident: int,
    change: str,
    at: datetime,
    *,
    severity: str,
    who: str = "",
    detail: str = "",
    silent: bool = False,
) -> int:
    """Write down a change in the transaction that makes it; return its id, under which routes hear of it.

    `silent`: it is history, and no route hears of it.
    """
    number = new_id()
    row = {
        "id": number,
        "incident_id": incident,
        "at": at,
        "change": change,
        "severity": severity,
        "who": who[:128],
        "detail": detail,
        "spread": SPREAD if silent else WAITING,
    }
    insert_rows(connection, incident_events, [row])
    return number


def of(connection: Connection, incident: int) -> list[dict[str, Any]]:
    """Return an incident's history, the oldest first."""
    query = select(incident_events).where(incident_events.c.incident_id == incident).order_by(incident_events.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]
