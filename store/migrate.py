"""Bring the tables to this release."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from config.settings import Settings
from store.database import Database, open_database
from store.errors import HalfThere
from store.migrations import received
from store.revision import missing_received, require_revision, revision_of, revisions
from store.sqlite import WHOLE, file_names, has_received

_FOLDER: Final = Path(__file__).parent / "migrations"
# Any fixed number will do, as long as nothing else locks the same one in this database.
_LOCK: Final = 0x444C52


def migrate(settings: Settings, *, without_received: bool = False) -> str:
    """Bring the database of `settings` to this release and return the revision.

    Safe to run any number of times and by several processes at once: they wait for one another. `without_received`
    makes SQLite's file of what is received anew where it is missing. Raises `store.errors.StoreError`.
    """
    if settings.database.startswith("sqlite"):
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = open_database(settings.database, synchronous=settings.sqlite_synchronous)
    try:
        return migrate_database(database, without_received=without_received)
    finally:
        database.close()


def migrate_database(database: Database, *, without_received: bool = False) -> str:
    """Bring `database` to this release and return the revision.

    Raises `TooNew` where a newer release was here, and `HalfThere` where one of SQLite's files is missing.
    """
    if database.is_sqlite:
        with database.transaction(WHOLE) as connection:
            _prepare_received(connection, without_received)
    # On SQLite the transaction itself holds the only writer's lock from its beginning.
    with database.transaction(WHOLE) as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if revision_of(connection) not in (None, *revisions()):
            require_revision(connection)  # says that a newer release was here
        command.upgrade(_config(connection), "head")
        return revision_of(connection) or ""


def _prepare_received(connection: Connection, without_received: bool) -> None:
    """Make SQLite's file of what is received, never in place of one that was only not restored."""
    present = revision_of(connection)
    if present is None and (number := received.waiting_for_main(connection)):
        main, other = file_names(connection)
        raise HalfThere(
            f"{main} is missing, or empty, and {other} beside it holds {number} of its callbacks: restore it from the "
            "same backup, with keys.json, or move the other file away to begin anew"
        )
    if present not in (None, *revisions()):
        return  # a newer release's tables: nothing of them is ours to touch
    if present is not None and present >= received.SINCE and not has_received(connection) and not without_received:
        raise HalfThere(missing_received(connection))
    received.copy(connection)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config
