"""What the database says of the demo: one example of each thing that this service is for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from store.database import Database
from store.schema import incidents, messages, retries, suppressions

_FINAL: Final = ("delivered", "failed", "seen")


@dataclass(frozen=True, slots=True)
class Findings:
    """Rows as they stand; `None` for what has not happened yet."""

    reported: int
    """Messages whose fate is known."""
    resent: Row[Any] | None
    """A resend that was accepted, of a message that then arrived."""
    suppressed: Row[Any] | None
    """A number that was suppressed, with the id of the message that told."""
    incident: Row[Any] | None
    """An incident of which somebody was told."""
    notified: tuple[str, ...] = ()
    """Titles of the notifications that arrived."""

    @property
    def complete(self) -> bool:
        """Whether all has happened."""
        return not self.missing

    @property
    def missing(self) -> list[str]:
        """What has not happened."""
        names = {
            "a message sent again that arrived": self.resent,
            "a number suppressed": self.suppressed,
            "an incident": self.incident,
            "its notification": self.notified or None,
        }
        return [name for name, found in names.items() if found is None]


def look(database: Database, notified: Sequence[str]) -> Findings:
    """Return how far things are; `notified` are the titles of the notifications that arrived."""
    with database.reading() as connection:
        known = select(func.count()).where(messages.c.state.in_(_FINAL))
        return Findings(
            reported=int(connection.scalar(known) or 0),
            resent=_resent(connection),
            suppressed=_suppressed(connection),
            incident=_incident(connection),
            notified=tuple(notified),
        )


def _resent(connection: Connection) -> Row[Any] | None:
    joined = retries.join(messages, messages.c.key == retries.c.message_key)
    query = select(retries, messages.c.message_id, messages.c.first_at).select_from(joined)
    query = query.where(retries.c.state == "accepted", messages.c.state == "delivered")
    return connection.execute(query.order_by(retries.c.id).limit(1)).first()


def _suppressed(connection: Connection) -> Row[Any] | None:
    failed = messages.c.state == "failed"
    joined = suppressions.join(messages, (messages.c.recipient == suppressions.c.address) & failed)
    query = select(suppressions, messages.c.message_id).select_from(joined).where(suppressions.c.state == "active")
    return connection.execute(query.order_by(suppressions.c.id).limit(1)).first()


def _incident(connection: Connection) -> Row[Any] | None:
    query = select(incidents).where(incidents.c.told_at.is_not(None))
    return connection.execute(query.order_by(incidents.c.count.desc(), incidents.c.id).limit(1)).first()
