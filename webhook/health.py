"""`/healthz`: the process lives. `/readyz`: a callback would be kept, and what else is wrong.

Only what would cost a callback makes `/readyz` answer 503: with a broker down callbacks are still kept, and a balancer
that took all hosts out would lose them.
"""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import Flask, Response
from sqlalchemy.exc import SQLAlchemyError

from config.logs import log
from config.settings import Settings
from store import sqlite
from store.database import Database
from store.errors import NotMigrated, StoreError, TooNew
from store.inbox import backlog
from store.revision import require_migrated
from store.schema import meta, metadata
from store.writes import upsert
from webhook.body import MIB
from webhook.errors import JSON
from webhook.ringer import Ringer

_log = log(__name__)
_FRESH: Final = 1.0
_OLD: Final = timedelta(seconds=60)
_DISK_LOW: Final = 512 * MIB
_DISK_FULL: Final = 32 * MIB


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `stops` says that no callback can be kept because of it."""

    check: str
    message: str
    next_step: str
    stops: bool = False


@dataclass(slots=True)
class Readiness:
    """Looks at what a callback needs, at most once a second however often it is asked."""

    settings: Settings
    database: Database
    ringer: Ringer
    _until: float = 0.0
    _found: tuple[Problem, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = (*self._database(), *self._broker(), *self._disk())
                self._until = time.monotonic() + _FRESH
            return self._found

    def _database(self) -> Iterator[Problem]:
        try:
            if (other := self._other_tables()) is not None:
                yield other
                if other.stops:
                    return
            # Only a commit proves that it can write: a full disk lets everything pass up to there.
            if self.database.is_sqlite:
                with self.database.transaction(sqlite.RECEIVED) as connection:
                    sqlite.touch_received(connection)
            with self.database.reading() as connection:
                waiting, age = backlog(connection, datetime.now(UTC))
        except (StoreError, SQLAlchemyError) as error:
            yield _unusable("it cannot be reached or written", error, stops=True)
            return
        try:
            with self.database.transaction() as connection:
                moment = {"name": "ready_at", "value": datetime.now(UTC).isoformat(timespec="seconds")}
                upsert(connection, meta, [moment], ["name"], ["value"])
        except (StoreError, SQLAlchemyError) as error:
            message = "it cannot be written"
            if self.database.is_sqlite:
                message = "its main file cannot be written: callbacks are kept, and not decided on"
            yield _unusable(message, error, stops=not self.database.is_sqlite)
        if age > _OLD:
            wait = "callback waits" if waiting == 1 else "callbacks wait"
            message = f"{waiting} {wait}, the oldest for {round(age.total_seconds())} s"
            yield Problem("backlog", message, "See whether the worker runs and what its log says.")

    def _other_tables(self) -> Problem | None:
        try:
            require_migrated(self.database)
        except TooNew as error:
            # A newer release takes over while this one runs. What it kept till now it can mostly keep still, and
            # where it cannot, the commit below or the callback's own answer says so.
            return Problem("database", str(error), "Replace this host by one of the newer release.")
        except NotMigrated as error:
            return Problem("database", str(error), "Run `dlr migrate` and start again.", stops=True)
        missing = set(metadata.tables) - self.database.tables()
        if missing:
            message = f"{len(missing)} of its tables are missing"
            return Problem("database", message, "Restore the backup: `dlr migrate` finds nothing to do.", stops=True)
        return None

    def _broker(self) -> Iterator[Problem]:
        bell = self.ringer.bell
        if bell is not None and not bell.answers():
            yield Problem(
                "broker",
                "Redis does not answer; callbacks are kept, and found by the sweep once it is back",
                "Run `dlr doctor`; compare DLR_REDIS_URL.",
            )

    def _disk(self) -> Iterator[Problem]:
        try:
            free = shutil.disk_usage(self.settings.state_dir).free
        except OSError:
            return  # no state folder: everything lives in a database elsewhere
        if free < _DISK_LOW:
            message = f"{free // MIB} MiB are free where the state folder is"
            yield Problem("disk", message, "Free some space, or shorten DLR_KEEP_BODIES.", stops=free < _DISK_FULL)


def _unusable(message: str, error: Exception, *, stops: bool) -> Problem:
    # Its own words may name hosts and users, and anybody may ask here: they go to the log.
    reason = str(error) if isinstance(error, StoreError) else type(error).__name__
    _log.error("the database is not ready", reason=reason)
    return Problem("database", message, "Run `dlr doctor`; the log has the database's own words.", stops=stops)


def register_health(app: Flask, readiness: Readiness) -> None:
    """Serve `/healthz` and `/readyz`."""

    def healthz() -> Response:
        return _json({"status": "alive"}, 200)

    def readyz() -> Response:
        problems = readiness.problems()
        ready = not any(problem.stops for problem in problems)
        status = "not ready" if not ready else "degraded" if problems else "ready"
        shown = [{"check": one.check, "message": one.message, "next_step": one.next_step} for one in problems]
        return _json({"status": status, "problems": shown}, 200 if ready else 503)

    app.add_url_rule("/healthz", "healthz", healthz, provide_automatic_options=False)
    app.add_url_rule("/readyz", "readyz", readyz, provide_automatic_options=False)


def _json(content: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(content), status, mimetype=JSON)
