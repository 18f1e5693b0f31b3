"""A database of another release's tables is recognised, whichever of the two is the older."""

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from store import migrate
from store.database import Database, open_database
from store.errors import NotMigrated, TooNew
from store.migrate import migrate_database
from store.revision import require_migrated, require_revision, revisions
from tests.support.revision import set_revision


def test_the_files_are_named_after_their_revisions_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate._FOLDER))
    scripts = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(scripts)) == revisions()


def test_the_tables_of_this_release_are_accepted(database: Database) -> None:
    require_migrated(database)


def test_a_database_without_tables_is_refused(database_url: str) -> None:
    empty = open_database(database_url)
    with pytest.raises(NotMigrated, match=r"are missing.*dlr migrate"):
        require_migrated(empty)
    empty.close()


def test_tables_of_a_newer_release_are_refused_and_never_migrated(database: Database) -> None:
    set_revision(database, "9999")
    with pytest.raises(TooNew, match=f"9999.*{revisions()[-1]}.*run that release") as refused:
        require_migrated(database)
    assert "run `dlr migrate`" not in str(refused.value)
    with pytest.raises(TooNew):
        migrate_database(database)


def test_tables_of_an_older_release_are_refused_with_both_revisions_and_the_next_step(database: Database) -> None:
    with (
        pytest.raises(NotMigrated, match=rf"{revisions()[-1]}.*0999.*dlr migrate"),
        database.reading() as connection,
    ):
        require_revision(connection, (*revisions(), "0999"))
