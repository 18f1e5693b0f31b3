"""Incidents that the endpoint itself sees, written where those of the workers are."""

from datetime import UTC, datetime, timedelta

from store import incidents
from store.database import Database
from store.incidents import Sighting


class StoreIncidents:
    """Writes them into the database; whoever folds incidents opens them and tells of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(
        self,
        kind: str,
        account: str,
        title: str,
        next_step: str,
        threshold: int = 1,
        within: timedelta = timedelta(minutes=10),
        count: int = 1,
    ) -> None:
        """Count occurrences. Raises `store.errors.Unavailable`."""
        seen = Sighting(
            account=account,
            key=kind,
            rule=kind,
            severity="warning",
            title=title,
            next_step=next_step,
            at=datetime.now(UTC),
            threshold=threshold,
            within=within,
            count=count,
        )
        with self._database.transaction() as connection:
            incidents.note(connection, [seen])
