"""Commits callbacks and rings for the workers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy.exc import SQLAlchemyError

from config.logs import log
from config.relays import Relays
from store.database import Database
from store.errors import StoreError
from store.inbox import Arrival, keep_refused
from store.sqlite import RECEIVED
from store.vault import Vault
from webhook.errors import NotKept
from webhook.group_commit import GroupCommit
from webhook.incidents import Reporter
from webhook.ringer import Ringer

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Keeper:
    """Writes what arrives; whoever it returns to may answer 200. `relays` says what is passed on."""

    database: Database
    vault: Vault
    ringer: Ringer
    reporter: Reporter
    group: GroupCommit
    relays: Relays = field(default_factory=Relays)

    def keep(self, arrival: Arrival) -> int:
        """Commit a callback with its bad items, ring, and return its id. Raises `NotKept`."""
        relayed = bool(self.relays.of(arrival.account, arrival.channel))
        with _unless_unavailable():
            number = self.group.keep(replace(arrival, relayed=relayed))
        self.ringer.committed()
        return number

    def keep_refused(self, arrival: Arrival, error: Exception, next_step: str) -> None:
        """Commit the body of a 400 or 415, if it came from somebody known: strangers shall not fill the disk."""
        if not arrival.trusted:
            return
        with _unless_unavailable(), self.database.transaction(RECEIVED) as connection:
            new = keep_refused(connection, self.vault, arrival, str(error))
        if new:
            title = f"A callback was refused and kept in quarantine: {error}"
            self.reporter.note("callback_not_understood", arrival.account, title, next_step)


@contextmanager
def _unless_unavailable() -> Iterator[None]:
    try:
        yield
    except (StoreError, SQLAlchemyError) as error:
        # The text of SQLAlchemy's own errors would show the row.
        reason = str(error) if isinstance(error, StoreError) else type(error).__name__
        _log.error("a callback could not be kept and was answered with 503", reason=reason, next_step="dlr doctor")
        raise NotKept("the database cannot take it at the moment; nothing was kept") from error
