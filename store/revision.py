"""Which revision the tables are of, and whether that is this release's.

Alembic knows this too, but half of what it imports is for changing tables, which no service does.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from store.database import Database
from store.errors import HalfThere, NotMigrated, TooNew
from store.sqlite import file_names, has_received

_VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"
_TABLE: Final = "alembic_version"


@cache
def revisions() -> tuple[str, ...]:
    """Return the revisions that this release knows, the oldest first: the files are named after them."""
    return tuple(sorted(path.stem.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py")))


def require_migrated(database: Database) -> None:
    """Raise `NotMigrated` where the tables are missing or of an older revision, `TooNew` where of a newer one."""
    with database.reading() as connection:
        require_revision(connection)


def require_revision(connection: Connection, known: Sequence[str] = ()) -> None:
    """Raise as `require_migrated` does; `known` stands for the revisions of another release than this."""
    known = known or revisions()
    present, wanted = revision_of(connection), known[-1]
    if present == wanted:
        if not has_received(connection):
            raise HalfThere(missing_received(connection))
        return
    if present and present not in known:
        raise TooNew(
            f"the tables are those of revision {present}, which a newer release made, and this release needs revision "
            f"{wanted}: run that release here too, or restore the backup from before its `dlr migrate`"
        )
    found = f"are those of revision {present}" if present else "are missing"
    raise NotMigrated(f"the tables {found}, this release needs revision {wanted}: run `dlr migrate`")


def missing_received(connection: Connection) -> str:
    """Return what to do about a main file of SQLite whose other one is missing."""
    main, other = file_names(connection)
    return (
        f"{other} is missing, or empty: it holds callbacks, of which some may not be decided on yet, and the "
        f"quarantine. Restore it beside {main}, from the same backup; where it is gone for good, "
        "`dlr migrate --without-received` makes an empty one"
    )


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the tables, or nothing where there are none."""
    if not inspect(connection).has_table(_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalar()  # noqa: S608
    return str(found) if found else None
