"""Make tables look like another release's."""

from sqlalchemy import text

from store.database import Database


def set_revision(database: Database, revision: str) -> None:
    """Say in the database that its tables are of `revision`; of none where it is empty."""
    with database.transaction() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        if revision:
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
